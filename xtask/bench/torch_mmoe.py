"""Times training steps of MMoE in PyTorch and prints one line of JSON.

    python torch_mmoe.py folder steps rows-per-batch [variant ...]

The folder is what `mmoe_bench prepare` wrote: ids and labels of sixteen batches, which are taken in turn, and the initial weights.
Eight embeddings of 16, eight experts 128-256-128 with ReLU after both layers, two softmax gates, two towers 128-64-1, the sum over
tasks of the mean binary cross-entropy, Adam at 1e-3 over all rows of the tables. OMP_NUM_THREADS sets the threads.

Ways in which a good user might write it. Each is tried on some steps, the fastest is timed:
list          a module for each expert and an Embedding for each feature, as libraries write it
batched       the experts' first layers as one wide product, the second ones as one bmm
joined        like batched, and the tables as one, with offsets
-compile      the forward pass and the loss compiled by torch.compile (only where a C++ compiler is there)
-foreach      with Adam as PyTorch picks it, instead of the fused one, which is faster here
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

folder, steps, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
BATCHES, CHECK_STEPS, WIDTH, EXPERTS, TASKS = 16, 10, 16, 8, 2
VOCABULARIES = [1_000, 1_000, 5_000, 5_000, 20_000, 20_000, 100_000, 100_000]
FEATURES = len(VOCABULARIES)

weights = load_file(os.path.join(folder, "weights.safetensors"))
ids = np.fromfile(os.path.join(folder, "ids.u32"), "<u4").reshape(-1, FEATURES)[: BATCHES * batch].astype(np.int64)
labels = np.fromfile(os.path.join(folder, "labels.f32"), "<f4").reshape(-1, TASKS)[: BATCHES * batch]
batches = list(zip(torch.from_numpy(ids).split(batch), torch.from_numpy(labels).split(batch)))


def tables():
    return [weights[f"feature{f}"] for f in range(FEATURES)]


def filled(layer, name):
    """A Linear with the other side's weights, which are stored `[in, out]`."""
    with torch.no_grad():
        layer.weight.copy_(weights[f"{name}/w"].T)
        layer.bias.copy_(weights[f"{name}/b"][0])
    return layer


class Model(nn.Module):
    """What all variants share: gates, towers, loss."""

    def __init__(self):
        super().__init__()
        inputs = FEATURES * WIDTH
        self.gates = nn.ModuleList(filled(nn.Linear(inputs, EXPERTS), f"mmoe/gate/{t}") for t in range(TASKS))
        self.towers = nn.ModuleList(
            nn.Sequential(
                filled(nn.Linear(128, 64), f"tower{t}/hidden/0"), nn.ReLU(), filled(nn.Linear(64, 1), f"tower{t}/out")
            )
            for t in range(TASKS)
        )

    def forward(self, ids, labels):
        x = self.embed(ids)
        experts = self.experts_of(x)
        loss = 0.0
        for t in range(TASKS):
            gate = torch.softmax(self.gates[t](x), dim=1)
            logit = self.towers[t](self.mix(gate, experts)).squeeze(1)
            loss = loss + functional.binary_cross_entropy_with_logits(logit, labels[:, t])
        return loss


class List(Model):
    def __init__(self):
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding.from_pretrained(t.clone(), freeze=False) for t in tables())
        w0, b0 = weights["mmoe/experts/0/w"], weights["mmoe/experts/0/b"]
        w1, b1 = weights["mmoe/experts/1/w"], weights["mmoe/experts/1/b"]
        experts = []
        for e in range(EXPERTS):
            first, second = nn.Linear(128, 256), nn.Linear(256, 128)
            with torch.no_grad():
                first.weight.copy_(w0[:, 256 * e : 256 * (e + 1)].T)
                first.bias.copy_(b0[0, 256 * e : 256 * (e + 1)])
                second.weight.copy_(w1[256 * e : 256 * (e + 1)].T)
                second.bias.copy_(b1[0, 128 * e : 128 * (e + 1)])
            experts.append(nn.Sequential(first, nn.ReLU(), second, nn.ReLU()))
        self.experts = nn.ModuleList(experts)

    def embed(self, ids):
        return torch.cat([table(ids[:, f]) for f, table in enumerate(self.tables)], dim=1)

    def experts_of(self, x):
        return torch.stack([expert(x) for expert in self.experts], dim=1)

    def mix(self, gate, experts):
        return torch.bmm(gate.unsqueeze(1), experts).squeeze(1)


class Batched(Model):
    def __init__(self):
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding.from_pretrained(t.clone(), freeze=False) for t in tables())
        self.first = filled(nn.Linear(128, 256 * EXPERTS), "mmoe/experts/0")
        self.w1 = nn.Parameter(weights["mmoe/experts/1/w"].reshape(EXPERTS, 256, 128).clone())
        self.b1 = nn.Parameter(weights["mmoe/experts/1/b"].reshape(EXPERTS, 1, 128).clone())

    def embed(self, ids):
        return torch.cat([table(ids[:, f]) for f, table in enumerate(self.tables)], dim=1)

    def experts_of(self, x):
        hidden = torch.relu(self.first(x)).view(-1, EXPERTS, 256).transpose(0, 1)
        return torch.relu(torch.baddbmm(self.b1, hidden, self.w1)).transpose(0, 1)

    def mix(self, gate, experts):
        return torch.bmm(gate.unsqueeze(1), experts).squeeze(1)


class Joined(Batched):
    def __init__(self):
        super().__init__()
        self.tables = nn.Embedding.from_pretrained(torch.cat(tables()), freeze=False)
        self.register_buffer("offsets", torch.tensor(np.cumsum([0] + VOCABULARIES[:-1])))

    def embed(self, ids):
        return self.tables(ids + self.offsets).view(len(ids), -1)


class Run:
    def __init__(self, variant):
        self.model = {"list": List, "batched": Batched, "joined": Joined}[variant.split("-")[0]]()
        self.forward = torch.compile(self.model) if "compile" in variant else self.model
        fused = None if "foreach" in variant else True
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=1e-3, fused=fused)
        self.at = 0

    def step(self):
        data = batches[self.at % BATCHES]
        self.at += 1
        self.optimiser.zero_grad(set_to_none=True)
        loss = self.forward(*data)
        loss.backward()
        self.optimiser.step()
        return loss.item()

    def timed(self, count):
        times = []
        for _ in range(count):
            start = time.perf_counter()
            self.step()
            times.append((time.perf_counter() - start) * 1e3)
        return statistics.median(times)


variants = sys.argv[4:]
if not variants:
    variants = ["list", "batched", "joined"]
    if shutil.which("c++") or shutil.which("g++"):
        variants += ["list-compile", "batched-compile", "joined-compile"]
checks, tried = {}, {}
for variant in variants:
    torch.manual_seed(7)
    run = Run(variant)
    # The steps that both sides agree on are the first ones, so they warm the rest up.
    checks[variant] = statistics.mean(run.step() for _ in range(CHECK_STEPS))
    tried[variant] = run.timed(BATCHES)
    del run
best = min(tried, key=tried.get)
run = Run(best)
run.timed(BATCHES)
print(
    json.dumps(
        {
            "peer": f"PyTorch {torch.__version__} ({best})",
            "ms": run.timed(steps),
            "check": checks[best],
            "ms_per_step": {variant: round(value, 3) for variant, value in tried.items()},
            "checks": checks,
        }
    )
)
