"""Times MMoE in PyTorch and prints one line of JSON.

    python torch_mmoe.py train|touched|score folder steps rows-per-batch [variant ...]

The folder is what `mmoe_bench prepare` wrote: ids and labels of sixteen batches, which are taken in turn, and the initial weights.
Eight embeddings of 16, eight experts 128-256-128 with ReLU after both layers, two softmax gates, two towers 128-64-1, the sum over
tasks of the mean binary cross-entropy. `train` steps all rows of the tables by Adam at 1e-3; `touched` those of the batch, by
sparse gradients and SparseAdam, and the rest by Adam; `score` computes logits in inference mode. OMP_NUM_THREADS sets the threads.

Ways in which a good user might write it. Each is tried on some steps, the fastest is timed:
list          a module for each expert and an Embedding for each feature, as libraries write it
batched       the experts' first layers as one wide product, the second ones as one bmm
joined        like batched, and the tables as one, with offsets
-compile      the forward pass (and the loss) compiled by torch.compile (only where a C++ compiler is there)
-frozen       for scoring: traced and frozen, so that no Python runs between ops
-foreach      with Adam as PyTorch picks it, instead of the fused one, which is faster here
"""

import json
import os
import resource
import shutil
import statistics
import sys
import time
import warnings

import numpy as np
import torch
from torch.nn import functional

from torch_network import FEATURES, MODELS, Weights

# Freezing is deprecated in favour of compiling, which is slower for a single row.
warnings.filterwarnings("ignore", category=FutureWarning, module="torch.jit")
work, folder, steps, batch = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
BATCHES, CHECK_STEPS, TASKS = 16, 10, 2

weights = Weights(folder, TASKS)
ids = np.fromfile(os.path.join(folder, "ids.u32"), "<u4").reshape(-1, FEATURES)[: BATCHES * batch].astype(np.int64)
labels = np.fromfile(os.path.join(folder, "labels.f32"), "<f4").reshape(-1, TASKS)[: BATCHES * batch]
batches = list(zip(torch.from_numpy(ids).split(batch), torch.from_numpy(labels).split(batch)))


class Run:
    def __init__(self, variant):
        self.model = MODELS[variant.split("-")[0]](weights)
        compiled = "compile" in variant
        self.optimisers = []
        if work == "score":
            self.forward = torch.compile(self.model) if compiled else self.model
            if "frozen" in variant:
                with torch.inference_mode():
                    self.forward = torch.jit.freeze(torch.jit.trace(self.model.eval(), batches[0][0]))
            self.at = 0
            return
        self.loss = torch.compile(self.summed) if compiled else self.summed
        fused = None if "foreach" in variant else True
        tables = list(self.model.tables.parameters())
        if work == "touched":
            for table in [self.model.tables] if hasattr(self.model.tables, "sparse") else self.model.tables:
                table.sparse = True
            self.optimisers.append(torch.optim.SparseAdam(tables, lr=1e-3))
        else:
            tables = []
        known = {id(table) for table in tables}
        others = [p for p in self.model.parameters() if id(p) not in known]
        self.optimisers.append(torch.optim.Adam(others, lr=1e-3, fused=fused))
        self.at = 0

    def summed(self, ids, labels):
        logits = self.model(ids)
        return sum(functional.binary_cross_entropy_with_logits(logit, labels[:, t]) for t, logit in enumerate(logits))

    def step(self):
        data = batches[self.at % BATCHES]
        self.at += 1
        if work == "score":
            with torch.inference_mode():
                return self.forward(data[0])
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        loss = self.loss(*data)
        loss.backward()
        for optimiser in self.optimisers:
            optimiser.step()
        return loss.item()

    def check(self):
        # The steps that both sides agree on are the first ones, so they warm the rest up.
        values = [self.step() for _ in range(CHECK_STEPS)]
        if work == "score":
            return sum(logit.abs().mean().item() for logit in values[0]) / TASKS
        return statistics.mean(values)

    def timed(self, count):
        times = []
        for _ in range(count):
            start = time.perf_counter()
            self.step()
            times.append((time.perf_counter() - start) * 1e3)
        return statistics.median(times)


variants = sys.argv[5:]
if not variants:
    variants = ["list", "batched", "joined"]
    if shutil.which("c++") or shutil.which("g++"):
        # Sparse gradients break compiled graphs apart.
        variants += [] if work == "touched" else ["list-compile", "batched-compile", "joined-compile"]
    if work == "score":
        variants += ["batched-frozen", "joined-frozen"]
checks, tried, start_ms, peak_mb = {}, {}, None, None
for variant in variants:
    torch.manual_seed(7)
    run = Run(variant)
    if start_ms is None:
        run.step()
        # Since the process began, the interpreter's and PyTorch's own start included.
        with open("/proc/self/stat") as stat, open("/proc/uptime") as uptime:
            ticks = int(stat.read().rsplit(") ", 1)[1].split()[19])
            start_ms = (float(uptime.read().split()[0]) - ticks / os.sysconf("SC_CLK_TCK")) * 1e3
        run.timed(BATCHES)
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        run = Run(variant)
    checks[variant] = run.check()
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
            "start_ms": start_ms,
            "peak_mb": peak_mb,
            "ms_per_step": {variant: round(value, 3) for variant, value in tried.items()},
            "checks": checks,
        }
    )
)
