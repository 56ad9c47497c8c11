"""Times adapters for many cohorts in PyTorch and prints one line of JSON.

    python torch_lora.py folder train|score steps [variant ...]

The folder is what `lora_bench prepare` wrote: eight mixed batches of 4,096 rows of 64 cohorts, and the initial weights. A frozen base
256-256-128 with ReLU after both layers, adapters of rank 8 and scale 2 on both, a trained head; binary cross-entropy, fused Adam.
OMP_NUM_THREADS sets the threads. Variants, of which the fastest is timed:

bmm        gathers each row's factors and multiplies batched
segments   orders rows by cohort and loops over cohorts, on stacked factors
apart      likewise, with a tensor for each cohort, so that no gradient is filled up with zeros
-compile   through torch.compile (only where a C++ compiler is there)
"""

import json
import os
import shutil
import statistics
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

folder, what, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
ROWS, WIDTH, COHORTS, BATCHES, CHECK_STEPS, SCALE = 4096, 256, 64, 8, 10, 2.0

weights = load_file(os.path.join(folder, "weights.safetensors"))
x = torch.from_numpy(np.fromfile(os.path.join(folder, "x.f32"), "<f4").reshape(-1, WIDTH)).split(ROWS)
c = torch.from_numpy(np.fromfile(os.path.join(folder, "cohorts.u32"), "<u4").astype(np.int64)).split(ROWS)
y = torch.from_numpy(np.fromfile(os.path.join(folder, "labels.f32"), "<f4")).split(ROWS)
batches = list(zip(x, c, y))


def filled(inputs, outputs, name, trains):
    layer = torch.nn.Linear(inputs, outputs)
    with torch.no_grad():
        layer.weight.copy_(weights[f"{name}/w"].T)
        layer.bias.copy_(weights[f"{name}/b"][0])
    return layer.requires_grad_(trains)


class Model(torch.nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.kind = kind
        self.base = torch.nn.ModuleList([filled(WIDTH, 256, "tower/0", False), filled(256, 128, "tower/1", False)])
        self.head = filled(128, 1, "head", True)
        factor = lambda layer, cohort, part: weights[f"tower/{layer}/adapter/{cohort}/{part}"].clone()
        if kind == "apart":
            self.factors = torch.nn.ParameterList(
                torch.nn.Parameter(factor(l, i, part)) for l in range(2) for i in range(COHORTS) for part in "ab"
            )
        else:
            self.factors = torch.nn.ParameterList(
                torch.nn.Parameter(torch.stack([factor(l, i, part) for i in range(COHORTS)])) for l in range(2) for part in "ab"
            )

    def pair(self, layer, cohort):
        if self.kind == "apart":
            at = 2 * (layer * COHORTS + cohort)
            return self.factors[at], self.factors[at + 1]
        return self.factors[2 * layer][cohort], self.factors[2 * layer + 1][cohort]

    def forward(self, x, c):
        if self.kind == "bmm":
            for l, layer in enumerate(self.base):
                t = torch.bmm(x.unsqueeze(1), self.factors[2 * l][c])
                x = F.relu(layer(x) + SCALE * torch.bmm(t, self.factors[2 * l + 1][c]).squeeze(1))
            return self.head(x).squeeze(1)
        order = torch.argsort(c, stable=True)
        counts = torch.bincount(c, minlength=COHORTS).tolist()
        x = x[order]
        for l, layer in enumerate(self.base):
            parts = []
            for i, part in enumerate(x.split(counts)):
                a, b = self.pair(l, i)
                parts.append(part @ a @ b)
            x = F.relu(layer(x) + SCALE * torch.cat(parts))
        out = torch.empty(len(x))
        out[order] = self.head(x).squeeze(1)
        return out


class Run:
    def __init__(self, variant):
        self.model = Model(variant.split("-")[0])
        self.call = torch.compile(self.model) if "compile" in variant else self.model
        trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.Adam(trained, lr=1e-3, fused=True)
        self.at = 0

    def step(self):
        x, c, y = batches[self.at % BATCHES]
        self.at += 1
        if what == "score":
            with torch.inference_mode():
                return self.call(x, c).abs().mean().item()
        self.optimiser.zero_grad(set_to_none=True)
        loss = F.binary_cross_entropy_with_logits(self.call(x, c), y)
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
    variants = ["bmm", "segments", "apart"]
    if shutil.which("c++") or shutil.which("g++"):
        variants += ["bmm-compile"]
checks, tried = {}, {}
for variant in variants:
    run = Run(variant)
    checks[variant] = run.step() if what == "score" else statistics.mean(run.step() for _ in range(CHECK_STEPS))
    run.timed(2)
    tried[variant] = run.timed(BATCHES)
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
