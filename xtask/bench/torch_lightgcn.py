"""Times training steps of LightGCN in PyTorch and prints one line of JSON.

    python torch_lightgcn.py folder autograd|symmetric steps [variant ...]

The folder is what `lightgcn_bench prepare` wrote: edges, eight batches of users, items and negatives, and the initial embeddings.
Embeddings of 64, three layers over the whole graph in each step, the pairwise logistic loss with a penalty on the batch's own
embeddings, Adam at 1e-3. OMP_NUM_THREADS sets the threads. Variants, of which the fastest is timed:

autograd: PyTorch's own backward pass of its sparse product
coo         a matrix of coordinates, as the published code and most libraries have it
csr         compressed rows
symmetric: a backward pass by hand, which knows that the matrix is symmetric
product     one autograd function a product, compressed rows
horner      one for all layers, by Horner's rule: H = E + A·H, and the sum in the product
-i32        indices of 32 bits, which MKL takes as they are
"""

import json
import os
import statistics
import sys
import time
import warnings

import numpy as np
import torch
from safetensors.torch import load_file
from torch.nn import functional

warnings.filterwarnings("ignore", message=".*[Ss]parse.*")
folder, what, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
USERS, ITEMS, LAYERS, BATCH, CHECK_STEPS, PENALTY = 30_000, 40_000, 3, 2048, 10, 1e-4
NODES = USERS + ITEMS

start = load_file(os.path.join(folder, "weights.safetensors"))["nodes"]
edges = np.fromfile(os.path.join(folder, "edges.u32"), "<u4").astype(np.int64).reshape(-1, 2)
triples = np.fromfile(os.path.join(folder, "triples.u32"), "<u4").astype(np.int64).reshape(-1, 3)
batches = torch.from_numpy(triples + [0, USERS, USERS]).split(BATCH)


def adjacency(kind):
    user, item = edges[:, 0], edges[:, 1] + USERS
    rows, cols = np.concatenate([user, item]), np.concatenate([item, user])
    degree = np.bincount(rows, minlength=NODES)
    values = (1 / np.sqrt(degree[rows].astype(np.float64) * degree[cols])).astype(np.float32)
    at = torch.from_numpy(np.stack([rows, cols]))
    coo = torch.sparse_coo_tensor(at, torch.from_numpy(values), (NODES, NODES)).coalesce()
    if kind.startswith("coo"):
        return coo
    csr = coo.to_sparse_csr()
    if not kind.endswith("i32"):
        return csr
    return torch.sparse_csr_tensor(csr.crow_indices().int(), csr.col_indices().int(), csr.values(), (NODES, NODES))


class Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, a):
        ctx.a = a
        return a @ x

    @staticmethod
    def backward(ctx, grad):
        return ctx.a @ grad, None


def horner(a, e):
    h = e
    for _ in range(LAYERS):
        h = torch.addmm(e, a, h)
    return h.div_(LAYERS + 1)


class Horner(torch.autograd.Function):
    @staticmethod
    def forward(ctx, e, a):
        ctx.a = a
        return horner(a, e)

    @staticmethod
    def backward(ctx, grad):
        return horner(ctx.a, grad), None


class Run:
    def __init__(self, variant):
        self.kind = variant.split("-")[0]
        self.a = adjacency(variant)
        self.e = torch.nn.Parameter(start.clone())
        self.optimiser = torch.optim.Adam([self.e], lr=1e-3, fused=True)
        self.at = 0

    def propagated(self):
        if self.kind == "horner":
            return Horner.apply(self.e, self.a)
        total = x = self.e
        for _ in range(LAYERS):
            x = Product.apply(x, self.a) if self.kind == "product" else torch.sparse.mm(self.a, x)
            total = total + x
        return total / (LAYERS + 1)

    def step(self):
        rows = batches[self.at % len(batches)]
        self.at += 1
        self.optimiser.zero_grad(set_to_none=True)
        user, item, other = self.propagated()[rows.flatten()].view(len(rows), 3, -1).unbind(1)
        loss = functional.softplus((user * other).sum(1) - (user * item).sum(1)).mean()
        loss = loss + PENALTY / (2 * len(rows)) * self.e[rows.flatten()].square().sum()
        loss.backward()
        self.optimiser.step()
        return loss.item()

    def timed(self, count):
        times = []
        for _ in range(count):
            begun = time.perf_counter()
            self.step()
            times.append((time.perf_counter() - begun) * 1e3)
        return statistics.median(times)


variants = sys.argv[4:] or {"autograd": ["coo", "csr"], "symmetric": ["product", "product-i32", "horner", "horner-i32"]}[what]
checks, tried, runs = {}, {}, {}
for variant in variants:
    runs[variant] = run = Run(variant)
    checks[variant] = statistics.mean(run.step() for _ in range(CHECK_STEPS))
    tried[variant] = run.timed(3)
best = min(tried, key=tried.get)
print(
    json.dumps(
        {
            "peer": f"PyTorch {torch.__version__} ({best})",
            "ms": runs[best].timed(steps),
            "check": checks[best],
            "ms_per_step": {variant: round(value, 2) for variant, value in tried.items()},
            "checks": checks,
        }
    )
)
