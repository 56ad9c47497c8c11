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
from torch.nn import functional

from torch_network import FEATURES, MODELS, Weights

folder, steps, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
BATCHES, CHECK_STEPS, TASKS = 16, 10, 2

weights = Weights(folder, TASKS)
ids = np.fromfile(os.path.join(folder, "ids.u32"), "<u4").reshape(-1, FEATURES)[: BATCHES * batch].astype(np.int64)
labels = np.fromfile(os.path.join(folder, "labels.f32"), "<f4").reshape(-1, TASKS)[: BATCHES * batch]
batches = list(zip(torch.from_numpy(ids).split(batch), torch.from_numpy(labels).split(batch)))


class Run:
    def __init__(self, variant):
        self.model = MODELS[variant.split("-")[0]](weights)
        self.loss = torch.compile(self.summed) if "compile" in variant else self.summed
        fused = None if "foreach" in variant else True
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=1e-3, fused=fused)
        self.at = 0

    def summed(self, ids, labels):
        logits = self.model(ids)
        return sum(functional.binary_cross_entropy_with_logits(logit, labels[:, t]) for t, logit in enumerate(logits))

    def step(self):
        data = batches[self.at % BATCHES]
        self.at += 1
        self.optimiser.zero_grad(set_to_none=True)
        loss = self.loss(*data)
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
