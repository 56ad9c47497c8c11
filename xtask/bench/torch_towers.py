"""Times training epochs of the two towers in PyTorch and prints one line of JSON.

    python torch_towers.py folder repeats rows-per-batch [variant]

The folder is what `towers_bench prepare` wrote. The same model, loss, optimiser and sampling as on the other side: towers
512-256-128 and 768-256-128, residual blocks 128-128 of four groups, binary cross-entropy divided by the batch's examples, Adam
at 1e-3, four negatives per positive drawn uniformly from the items of the user's market that the user does not have, anew in
each epoch. Batches come from PyTorch's own DataLoader over a dataset with `__getitems__`, so that sampling and lookups are
vectorised over the batch; rows of a batch are ordered by group, so that each block is one product. OMP_NUM_THREADS sets the
threads.

Several ways a good user might write it are tried on some batches, the fastest is timed:
plain         user tower once per positive, title tower for every example
unique        title tower once per distinct title of the batch
-worker       batches prepared by one worker process
-compile      forward and loss compiled by torch.compile (only where a C++ compiler is there)
"""

import json
import os
import resource
import statistics
import struct
import sys
import time

import numpy as np
import torch
from torch.nn import functional
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler

folder, repeats, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
threads = int(os.environ.get("OMP_NUM_THREADS", "2"))
torch.set_num_threads(threads)
NEGATIVES, GROUPS, CHECK_BATCH = 4, 4, 820
GROUP_OF_MARKET = np.array([0, 2, 3, 3, 2, 1, 1])

read = lambda name, kind: np.fromfile(os.path.join(folder, name), dtype=kind)
rows = read("rows.u32", "<u4").reshape(-1, 2).astype(np.int64)
market = read("market.u32", "<u4").astype(np.int64)
users = torch.from_numpy(read("users.f32", "<f4").reshape(len(market), 512))
titles = torch.from_numpy(read("titles.f32", "<f4").reshape(-1, 768))
group = GROUP_OF_MARKET[market]


def weights():
    with open(os.path.join(folder, "weights.safetensors"), "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header, body = json.loads(file.read(length)), file.read()
    out = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            out[name] = torch.from_numpy(np.frombuffer(body[begin:end], dtype="<f4").reshape(entry["shape"]).copy())
    return out


class Rows(Dataset):
    """Positives of the training part; a batch of them comes with its negatives."""

    def __init__(self, unique):
        self.unique, self.items = unique, len(titles)
        self.pools = [np.unique(rows[market[rows[:, 0]] == m, 1]) for m in range(market.max() + 1)]
        self.flat = np.concatenate(self.pools)
        sizes = np.array([len(pool) for pool in self.pools])
        self.size, self.start = sizes[market], (np.cumsum(sizes) - sizes)[market]
        self.taken = np.unique(rows[:, 0] * self.items + rows[:, 1])
        self.numbers = None

    def __len__(self):
        return len(rows)

    def negatives(self, user):
        """Uniform over the free items: drawn from the market's, again where the user has it."""
        if self.numbers is None:
            self.numbers = np.random.default_rng(torch.initial_seed() % 2**63)
        user = np.repeat(user, NEGATIVES)
        out = np.empty(len(user), np.int64)
        todo = np.arange(len(user))
        while len(todo):
            of = user[todo]
            item = self.flat[self.start[of] + (self.numbers.random(len(of)) * self.size[of]).astype(np.int64)]
            key = of * self.items + item
            out[todo] = item
            at = np.minimum(np.searchsorted(self.taken, key), len(self.taken) - 1)
            todo = todo[self.taken[at] == key]
        return out.reshape(-1, NEGATIVES)

    def __getitems__(self, indices):
        chosen = rows[np.asarray(indices)]
        chosen = chosen[np.argsort(group[chosen[:, 0]], kind="stable")]
        return self.batch(chosen[:, 0], np.concatenate([chosen[:, 1:], self.negatives(chosen[:, 0])], 1))

    def batch(self, user, items):
        counts = np.bincount(group[user], minlength=GROUPS).tolist()
        items = torch.from_numpy(items)
        if self.unique:
            items, places = torch.unique(items, return_inverse=True)
            return torch.from_numpy(user), items, places, counts
        return torch.from_numpy(user), items, None, counts


def same(batch):
    return batch


class Towers(torch.nn.Module):
    def __init__(self):
        super().__init__()
        layer, seq, relu = torch.nn.Linear, torch.nn.Sequential, torch.nn.ReLU
        self.user = seq(layer(512, 256), relu(), layer(256, 128))
        self.title = seq(layer(768, 256), relu(), layer(256, 128))
        self.blocks = torch.nn.ModuleList(seq(layer(128, 128), relu(), layer(128, 128)) for _ in range(GROUPS))
        self.scale = torch.nn.Parameter(torch.ones(1, 1))
        self.bias = torch.nn.Parameter(torch.zeros(1, 1))
        w = weights()
        with torch.no_grad():
            parts = [(self.user, "user"), (self.title, "title")]
            parts += [(block, f"group{k}/block") for k, block in enumerate(self.blocks)]
            for module, name in parts:
                for at in (0, 1):
                    module[2 * at].weight.copy_(w[f"{name}/{at}/w"].T)
                    module[2 * at].bias.copy_(w[f"{name}/{at}/b"][0])
            self.scale.copy_(w["logit/scale"])
            self.bias.copy_(w["logit/bias"])

    def forward(self, user, items, places, counts):
        z = self.user(functional.embedding(user, users))
        parts = [part + self.blocks[k](part) for k, part in enumerate(z.split(counts)) if counts[k]]
        z = torch.cat(parts) * self.scale
        if places is None:
            v = self.title(functional.embedding(items.flatten(), titles)).view(*items.shape, -1)
        else:
            v = functional.embedding(places, self.title(functional.embedding(items, titles)))
        logits = torch.bmm(v, z.unsqueeze(2)).squeeze(2) + self.bias
        target = torch.zeros_like(logits)
        target[:, 0] = 1.0
        return functional.binary_cross_entropy_with_logits(logits, target)


class Run:
    def __init__(self, variant, rows_per_batch):
        self.data = Rows(variant.startswith("unique"))
        self.model = Towers()
        self.forward = torch.compile(self.model, dynamic=True) if "compile" in variant else self.model
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=1e-3, fused=True)
        workers = 1 if "worker" in variant else 0
        self.loader = DataLoader(
            self.data,
            batch_sampler=BatchSampler(RandomSampler(self.data), rows_per_batch, drop_last=False),
            collate_fn=same,
            num_workers=workers,
            persistent_workers=workers > 0,
        )

    def step(self, *batch):
        self.optimiser.zero_grad(set_to_none=True)
        loss = self.forward(*batch)
        loss.backward()
        self.optimiser.step()
        return loss.item()

    def epoch(self, most=None):
        """Milliseconds and steps of an epoch, or of its first `most` batches."""
        start, steps = time.perf_counter(), 0
        for batch in self.loader:
            self.step(*batch)
            steps += 1
            if steps == most:
                break
        return (time.perf_counter() - start) * 1e3, steps


def check(variant):
    """Mean loss of ten steps on the batches that the other side will take."""
    run = Run(variant, CHECK_BATCH)
    losses = []
    for part in read("check.u32", "<u4").reshape(-1, CHECK_BATCH, 2 + NEGATIVES).astype(np.int64):
        part = part[np.argsort(group[part[:, 0]], kind="stable")]
        losses.append(run.step(*run.data.batch(part[:, 0], part[:, 1:])))
    return statistics.mean(losses)


def resident_mb():
    try:
        with open("/proc/self/statm") as file:
            return round(int(file.read().split()[1]) * 4096 / 1e6)
    except OSError:
        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)


torch.manual_seed(7)
tried = {}
variants = sys.argv[4:] or ["plain", "unique", "plain-worker", "unique-worker"]
for variant in variants if len(variants) > 1 else []:
    run = Run(variant, batch)
    run.epoch(5)
    spent, steps = run.epoch(25)
    tried[variant] = spent / steps
    del run
best = min(tried, key=tried.get) if tried else variants[0]
run = Run(best, batch)
memory, times = [], []
for _ in range(1 + repeats):
    spent, _ = run.epoch()
    times.append(spent)
    memory.append(resident_mb())
ms = statistics.median(times[1:])
print(
    json.dumps(
        {
            "peer": f"PyTorch {torch.__version__} ({best})",
            "ms": ms,
            "check": check(best),
            "examples_per_second": len(rows) * (1 + NEGATIVES) / ms * 1e3,
            "ms_per_step": {variant: round(value, 2) for variant, value in tried.items()},
            "rss_mb": memory,
        }
    )
)
