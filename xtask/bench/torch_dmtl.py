"""Times epochs of DMTL on MovieLens-100K in PyTorch and prints one line of JSON.

    python torch_dmtl.py folder epochs rows-per-batch [variant ...]

The folder is what `dmtl_bench prepare` wrote: ratings, a group for each user, orders of the rows which epochs take in turn, and the
initial weights. Embeddings of 64, attention over the item's dimensions, a shared layer 128-128, a head for the rating (mean squared
error) and one for the ten groups (half the cross-entropy), Adam at 1e-3 over all rows of both tables. OMP_NUM_THREADS sets the threads.

Ways in which a good user might write it. Each is tried on an epoch, the fastest is timed. None uses a DataLoader, which fetches row by
row and takes three times as long: rows are ordered once an epoch and cut.
plain      modules, fused Adam
compile    likewise, the forward pass and the loss compiled by torch.compile (only where a C++ compiler is there)
joined     one table for users and items, looked up once by ids with an offset; one product for both heads; compiled for fixed shapes
foreach    with Adam as PyTorch picks it, instead of the fused one
"""

import json
import os
import shutil
import statistics
import sys
import time

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

folder, epochs, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
CHECK_STEPS = 10

weights = load_file(os.path.join(folder, "weights.safetensors"))
ids = lambda name: torch.from_numpy(np.fromfile(os.path.join(folder, name), "<u4").astype(np.int64))
user, item, group = ids("user.u32"), ids("item.u32"), ids("group.u32")
rating = torch.from_numpy(np.fromfile(os.path.join(folder, "rating.f32"), "<f4"))
orders = ids("orders.u32").split(len(user))


def linear(name, bias=True):
    value = weights[f"{name}/w" if bias else name]
    layer = nn.Linear(*value.shape, bias=bias)
    with torch.no_grad():
        layer.weight.copy_(value.T)
        if bias:
            layer.bias.copy_(weights[f"{name}/b"][0])
    return layer


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.user, self.item = (nn.Embedding.from_pretrained(weights[n].clone(), freeze=False) for n in ("user", "item"))
        self.attention, self.shared = linear("attention", bias=False), linear("shared")
        self.rating, self.groups = linear("rating"), linear("groups")

    def forward(self, user, item):
        u, i = self.user(user), self.item(item)
        alpha = torch.softmax(self.attention(torch.cat([u, i], dim=1)), dim=1)
        z = torch.relu(self.shared(torch.cat([u, alpha * i], dim=1)))
        return self.rating(z).squeeze(1), self.groups(z)


class Joined(nn.Module):
    def __init__(self):
        super().__init__()
        self.users = len(weights["user"])
        self.table = nn.Embedding.from_pretrained(torch.cat([weights["user"], weights["item"]]), freeze=False)
        self.attention, self.shared = linear("attention", bias=False), linear("shared")
        heads = [linear(name) for name in ("rating", "groups")]
        self.heads = nn.Linear(heads[0].in_features, sum(head.out_features for head in heads))
        with torch.no_grad():
            self.heads.weight.copy_(torch.cat([head.weight for head in heads]))
            self.heads.bias.copy_(torch.cat([head.bias for head in heads]))

    def forward(self, user, item):
        ui = self.table(torch.stack([user, item + self.users], dim=1))
        u, i = ui[:, 0], ui[:, 1]
        alpha = torch.softmax(self.attention(ui.flatten(1)), dim=1)
        said = self.heads(torch.relu(self.shared(torch.cat([u, alpha * i], dim=1))))
        return said[:, 0], said[:, 1:]


class Run:
    def __init__(self, variant):
        self.model, self.losses, self.at = Joined() if variant == "joined" else Model(), [], 0
        self.loss = self.summed
        if variant in ("compile", "joined"):
            self.loss = torch.compile(self.summed, dynamic=False if variant == "joined" else None)
        fused = None if variant == "foreach" else True
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=1e-3, fused=fused)

    def summed(self, user, item, rating, group):
        said, groups = self.model(user, item)
        return functional.mse_loss(said, rating) + 0.5 * functional.cross_entropy(groups, group)

    def epoch(self):
        order = orders[self.at % len(orders)]
        self.at += 1
        for rows in zip(*(column[order].split(batch) for column in (user, item, rating, group))):
            self.optimiser.zero_grad(set_to_none=True)
            loss = self.loss(*rows)
            loss.backward()
            self.optimiser.step()
            # Both sides look at each step's loss.
            self.losses.append(loss.item())

    def timed(self, count):
        times = []
        for _ in range(count):
            start = time.perf_counter()
            self.epoch()
            times.append((time.perf_counter() - start) * 1e3)
        return statistics.median(times)


variants = sys.argv[4:]
if not variants:
    variants = ["plain"]
    if shutil.which("c++") or shutil.which("g++"):
        variants += ["compile", "joined"]
checks, tried, runs = {}, {}, {}
for variant in variants:
    runs[variant] = run = Run(variant)
    run.epoch()
    checks[variant] = statistics.mean(run.losses[:CHECK_STEPS])
    tried[variant] = run.timed(1)
best = min(tried, key=tried.get)
print(
    json.dumps(
        {
            "peer": f"PyTorch {torch.__version__} ({best})",
            "ms": runs[best].timed(epochs),
            "check": checks[best],
            "ms_per_epoch": {variant: round(value, 1) for variant, value in tried.items()},
            "checks": checks,
        }
    )
)
