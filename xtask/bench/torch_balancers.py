"""Times training steps of MMoE with four tasks under balancers in PyTorch, written the way LibMTL writes them, and prints one line of JSON.

    python torch_balancers.py folder method epochs rows-per-batch

The folder is what `balancers_bench prepare` wrote. Methods: plain, rules, uncertainty, grad-norm, pcgrad, cagrad, mgda. As in
LibMTL's weighting classes, a task's gradient over all shared parameters (tables and experts) comes from a backward pass of its own, is
flattened into a row of a [tasks, parameters] matrix, and the result is written back; gates and towers keep their own
gradients, or under a weighted sum of losses the weighted ones. Adam is PyTorch's fused one over all rows of the tables, the fastest here.
OMP_NUM_THREADS sets the threads.
"""

import json
import os
import random
import statistics
import sys
import time

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

folder, method, epochs, batch = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
WIDTH, EXPERTS, TASKS, FEATURES, ROWS = 16, 8, 4, 8, 16 * 1024
weights = load_file(os.path.join(folder, "weights.safetensors"))


def read(name, kind, width):
    return torch.from_numpy(np.fromfile(os.path.join(folder, name), kind).reshape(ROWS, width).copy())


order = torch.from_numpy(np.fromfile(os.path.join(folder, "order.u32"), "<u4").astype(np.int64))
ids = read("ids.u32", "<i4", FEATURES).long()[order]
labels = read("labels.f32", "<f4", TASKS)[order]
rules = torch.where(order % 3 == 0, 2.0, 1.0)


def filled(inputs, outputs, w, b):
    layer = nn.Linear(inputs, outputs)
    with torch.no_grad():
        layer.weight.copy_(w.T)
        layer.bias.copy_(b)
    return layer


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        inputs = FEATURES * WIDTH
        self.tables = nn.ModuleList(nn.Embedding.from_pretrained(weights[f"feature{f}"].clone(), freeze=False) for f in range(FEATURES))
        first, second = weights["mmoe/experts/0/w"], weights["mmoe/experts/1/w"]
        bias = [weights["mmoe/experts/0/b"][0], weights["mmoe/experts/1/b"][0]]
        self.experts = nn.ModuleList()
        for e in range(EXPERTS):
            hidden, out = slice(e * 256, (e + 1) * 256), slice(e * 128, (e + 1) * 128)
            self.experts.append(nn.Sequential(
                filled(inputs, 256, first[:, hidden], bias[0][hidden]), nn.ReLU(),
                filled(256, 128, second[hidden], bias[1][out]), nn.ReLU()))
        self.gates = nn.ModuleList(filled(inputs, EXPERTS, weights[f"mmoe/gate/{t}/w"], weights[f"mmoe/gate/{t}/b"][0]) for t in range(TASKS))
        names = [k for k in weights if k.startswith("tower0/hidden") and k.endswith("/w")]
        middle = names[0][len("tower0/"):-2]
        self.towers = nn.ModuleList(nn.Sequential(
            filled(128, 64, weights[f"tower{t}/{middle}/w"], weights[f"tower{t}/{middle}/b"][0]), nn.ReLU(),
            filled(64, 1, weights[f"tower{t}/out/w"], weights[f"tower{t}/out/b"][0])) for t in range(TASKS))

    def shared(self):
        return [*self.tables.parameters(), *self.experts.parameters()]

    def forward(self, ids):
        x = torch.cat([table(ids[:, f]) for f, table in enumerate(self.tables)], 1)
        h = torch.stack([expert(x) for expert in self.experts])
        for gate, tower in zip(self.gates, self.towers):
            g = gate(x).softmax(1)
            yield tower(torch.einsum("ebo,be->bo", h, g)).squeeze(1)


model = Model()
shared = model.shared()
sizes = [p.numel() for p in shared]
scales = nn.Parameter(torch.zeros(TASKS))
loss_scale = nn.Parameter(torch.ones(TASKS))
mine = {"uncertainty": [scales], "grad-norm": [loss_scale]}.get(method, [])
optimizer = torch.optim.Adam([{"params": list(model.parameters())}] + [{"params": [p]} for p in mine], lr=1e-3, fused=True)
first_losses = None


def grads(losses):
    """LibMTL's `_compute_grad` in mode backward: one pass a task, flattened."""
    out = torch.zeros(TASKS, sum(sizes))
    for t in range(TASKS):
        losses[t].backward(retain_graph=t + 1 != TASKS)
        out[t] = torch.cat([p.grad.view(-1) for p in shared])
        for p in shared:
            p.grad = None
    return out


def write_back(gradient):
    at = 0
    for p, size in zip(shared, sizes):
        p.grad = gradient[at:at + size].view_as(p).clone()
        at += size


def min_norm(gram):
    """Frank and Wolfe on the Gram matrix, at most 250 steps."""
    w = np.ones(TASKS) / TASKS
    for _ in range(250):
        towards = np.eye(TASKS)[np.argmin(gram @ w)]
        a, b, c = w @ gram @ w, w @ gram @ towards, towards @ gram @ towards
        step = 1.0 if b >= c else 0.0 if b >= a else (a - b) / (a + c - 2 * b)
        if step * np.abs(towards - w).sum() < 1e-5:
            break
        w = w + step * (towards - w)
    return w


def backward(losses):
    global first_losses
    if method in ("plain", "rules"):
        losses.sum().backward()
    elif method == "uncertainty":
        (torch.exp(-scales) * losses + scales / 2).sum().backward()
    elif method == "grad-norm":
        if first_losses is None:
            first_losses = losses.detach()
        w = TASKS * functional.softmax(loss_scale, -1)
        g = grads(losses)
        norms = torch.stack([(w[t] * g[t]).norm() for t in range(TASKS)])
        pace = losses.detach() / first_losses
        target = (norms.mean() * (pace / pace.mean()) ** 1.5).detach()
        (norms - target).abs().sum().backward()
        write_back((w.detach()[:, None] * g).sum(0))
    elif method == "pcgrad":
        g = grads(losses)
        changed = g.clone()
        for i in range(TASKS):
            others = list(range(TASKS))
            random.shuffle(others)
            for j in others:
                dot = changed[i].dot(g[j])
                if dot < 0:
                    changed[i] -= dot * g[j] / (g[j].norm().pow(2) + 1e-8)
        write_back(changed.sum(0))
    elif method == "cagrad":
        from scipy.optimize import minimize
        g = grads(losses)
        gram = g.mm(g.t()).numpy()
        start, c = np.ones(TASKS) / TASKS, 0.5
        ahead = (start @ gram @ start)
        bound = c * np.sqrt(ahead + 1e-8)
        best = minimize(lambda x: x @ gram @ start + bound * np.sqrt(x @ gram @ x + 1e-8), start,
                        bounds=[(0, 1)] * TASKS, constraints={"type": "eq", "fun": lambda x: 1 - x.sum()}).x
        weighted = (g * torch.tensor(best, dtype=g.dtype)[:, None]).sum(0)
        write_back((g.mean(0) + bound / (weighted.norm() + 1e-8) * weighted) / (1 + c**2))
    elif method == "mgda":
        g = grads(losses)
        w = min_norm(g.mm(g.t()).numpy())
        write_back((g * torch.tensor(w, dtype=g.dtype)[:, None]).sum(0))
    else:
        raise SystemExit(f"there is no method {method}")


times, check = [], 0.0
for epoch in range(epochs):
    start = time.perf_counter()
    for at in range(0, ROWS, batch):
        rows = slice(at, at + batch)
        row_weights = rules[rows] if method == "rules" else None
        losses = torch.stack([functional.binary_cross_entropy_with_logits(out, labels[rows, t], row_weights) for t, out in enumerate(model(ids[rows]))])
        optimizer.zero_grad(set_to_none=True)
        backward(losses)
        optimizer.step()
        if epoch == 0:
            check += losses.detach().sum().item() * batch / ROWS
    times.append(1e3 * (time.perf_counter() - start) * batch / ROWS)
print(json.dumps({"ms": statistics.median(times[1:]), "fastest_ms": min(times[1:]), "check": check, "peer": f"PyTorch {torch.__version__}, LibMTL's way"}))
