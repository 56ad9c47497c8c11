"""Times training steps of MMoE under a balancer in PyTorch and prints one line of JSON.

    python torch_balancers.py folder method rounds rows-per-batch [variant ...]

The folder is what `balancers_bench prepare` wrote. The model is that of torch_mmoe.py with four tasks; shared are tables and experts, a
task's own its gate and tower. A method is a balancer and, after a hyphen, where gradients are taken:

(nothing)     over all shared parameters, tables included: a backward pass for each task with the graph kept, gradients flattened into
              a matrix [tasks, dim], combined, written back, one step of the optimiser
-experts      the same without the tables
-last         the experts' second layers alone (GradNorm's paper)
-rep          at the experts' outputs and the gates' input, which are cut from the graph; one backward pass on from there

GradNorm takes one more backward pass, of the weighted sum. CAGrad's weights come from SciPy's SLSQP, MGDA's are found exactly.
Eager, as libraries write it; Adam fused. Three ways to write the model are tried, the fastest is timed.
"""

import itertools
import json
import os
import statistics
import sys
import time

import numpy as np
import torch
from scipy.optimize import minimize
from torch.nn import functional

from torch_network import FEATURES, MODELS, Weights

folder, method, rounds, batch = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
STEPS, TASKS = 16, 4


def words(name, kind="<u4"):
    return np.fromfile(os.path.join(folder, name), kind)


weights = Weights(folder, TASKS)
order = words(f"order-{batch}.u32").astype(np.int64)
ids = torch.from_numpy(words("ids.u32").reshape(-1, FEATURES)[order].astype(np.int64)).split(batch)
labels = torch.from_numpy(words("labels.f32", "<f4").reshape(-1, TASKS)[order]).split(batch)
projections = words("pcgrad.u32").reshape(STEPS, TASKS, TASKS)


def pcgrad(grads, step):
    """LibMTL's loop over vectors, with the other side's orders."""
    surgery = grads.clone()
    squares = [torch.dot(g, g) for g in grads]
    for i in range(TASKS):
        for j in projections[step % STEPS, i]:
            if j != i:
                dot = torch.dot(surgery[i], grads[j])
                if dot < 0:
                    surgery[i] -= dot / squares[j] * grads[j]
    return surgery.sum(0)


def cagrad(grads, step, c=0.5):
    """The dual on the simplex by SLSQP, as LibMTL has it, then the direction."""
    gram = (grads @ grads.T).numpy().astype(np.float64)
    # SLSQP's tolerance is absolute; the dual's argument does not depend on the gradients' length.
    gram /= np.diag(gram).mean()
    to_mean, s = gram.mean(1), c * np.sqrt(gram.mean() + 1e-30)

    def dual(w):
        return w @ to_mean + s * np.sqrt(w @ gram @ w + 1e-30)

    on_simplex = {"type": "eq", "fun": lambda w: 1 - w.sum()}
    start = np.full(TASKS, 1 / TASKS)
    w = minimize(dual, start, bounds=[(0, 1)] * TASKS, constraints=on_simplex, options={"ftol": 1e-12}).x
    factor = s / np.sqrt(w @ gram @ w + 1e-30)
    return torch.tensor((1 / TASKS + factor * w) / (1 + c * c), dtype=torch.float32) @ grads


def mgda(grads, step):
    """The min-norm point, exactly: of the faces of the simplex, the shortest point inside one."""
    gram = (grads @ grads.T).numpy().astype(np.float64)
    best, least = None, np.inf
    for size in range(1, TASKS + 1):
        for face in itertools.combinations(range(TASKS), size):
            inner = np.linalg.solve(gram[np.ix_(face, face)], np.ones(size))
            w = inner / inner.sum()
            if (w >= 0).all() and (square := 1 / inner.sum()) < least:
                best, least = np.zeros(TASKS), square
                best[list(face)] = w
    return torch.tensor(best, dtype=torch.float32) @ grads


class Run:
    def __init__(self, variant):
        self.model = MODELS[variant](weights)
        self.balancer, _, self.site = method.partition("-")
        tables_of = list(self.model.tables.parameters())
        self.shared = {"": tables_of, "last": [], "rep": [], "experts": []}[self.site] + (
            self.model.last() if self.site == "last" else self.model.of_experts()
        )
        groups = [{"params": list(self.model.parameters())}]
        self.scale = torch.zeros(TASKS, requires_grad=True)
        if self.balancer == "uncertainty":
            groups.append({"params": [self.scale], "lr": 0.01})
        self.optimiser = torch.optim.Adam(groups, lr=1e-3, fused=True)
        # GradNorm's ln w, Adam's moments for it, and the first losses.
        self.log_w, self.first = torch.zeros(TASKS, dtype=torch.float64), None
        self.of_log_w = torch.optim.Adam([self.log_w], lr=0.025)
        self.at = 0

    def losses(self, logits, data, labels):
        weight = None
        losses = []
        for t, logit in enumerate(logits):
            if self.balancer == "rules":
                weight = torch.where(data[:, 0] < 10, 3.0, 1.0)
                if t == 0:
                    weight = weight * torch.where(data[:, 1] < 5, 2.0, 1.0)
            losses.append(functional.binary_cross_entropy_with_logits(logit, labels[:, t], weight=weight))
        return losses

    def flat(self, grads, dim):
        """The matrix [tasks, dim]."""
        matrix = torch.zeros(TASKS, dim)
        for t, parts in enumerate(grads):
            torch.cat([part.reshape(-1) for part in parts], out=matrix[t])
        return matrix

    def gradnorm(self, norms, losses):
        """Moves the weights after this step's were read."""
        losses = torch.stack(losses).detach().double()
        if self.first is None:
            self.first = losses
        norms = norms.double() * self.log_w.exp()
        pace = losses / self.first
        self.log_w.grad = torch.sign(norms - norms.mean() * (pace / pace.mean()) ** 1.5) * norms
        self.of_log_w.step()
        self.log_w += (TASKS / self.log_w.exp().sum()).log()

    def combined(self, grads):
        return {"pcgrad": pcgrad, "cagrad": cagrad, "mgda": mgda}[self.balancer](grads, self.at)

    def step(self):
        data, targets = ids[self.at % STEPS], labels[self.at % STEPS]
        self.optimiser.zero_grad(set_to_none=True)
        x = self.model.embed(data)
        experts = self.model.experts_of(x)
        plain = self.balancer in ("plain", "rules", "uncertainty")
        if self.site == "rep" and not plain:
            losses = self.at_representation(x, experts, data, targets)
        else:
            losses = self.losses(self.model.logits(x, experts), data, targets)
            if self.balancer == "uncertainty":
                sum(torch.exp(-s) * loss + 0.5 * s for s, loss in zip(self.scale, losses)).backward()
            elif plain:
                sum(losses).backward()
            else:
                self.over_parameters(losses)
        self.optimiser.step()
        self.at += 1
        return sum(loss.item() for loss in losses)

    def over_parameters(self, losses):
        dim = sum(p.numel() for p in self.shared)
        if self.balancer == "gradnorm":
            each = [torch.autograd.grad(loss, self.shared, retain_graph=True) for loss in losses]
            w = self.log_w.exp().float()
            self.gradnorm(self.flat(each, dim).norm(dim=1), losses)
            torch.dot(w, torch.stack(losses)).backward()
            return
        # Heads gather their own gradients; those of what is shared are taken out after each pass.
        matrix = torch.zeros(TASKS, dim)
        for t, loss in enumerate(losses):
            loss.backward(retain_graph=t + 1 < TASKS)
            torch.cat([p.grad.reshape(-1) for p in self.shared], out=matrix[t])
            for p in self.shared:
                p.grad = None
        at = 0
        combined = self.combined(matrix)
        for p in self.shared:
            p.grad = combined[at : at + p.numel()].view_as(p)
            at += p.numel()

    def at_representation(self, x, experts, data, targets):
        cut = [experts.detach().requires_grad_(), x.detach().requires_grad_()]
        losses = self.losses(self.model.logits(cut[1], cut[0]), data, targets)
        dim = sum(part.numel() for part in cut)
        if self.balancer == "gradnorm":
            each = [torch.autograd.grad(loss, cut, retain_graph=True) for loss in losses]
            w = self.log_w.exp().float()
            self.gradnorm(self.flat(each, dim).norm(dim=1), losses)
            torch.dot(w, torch.stack(losses)).backward()
            torch.autograd.backward([experts, x], [part.grad for part in cut])
            return losses
        matrix = torch.zeros(TASKS, dim)
        for t, loss in enumerate(losses):
            loss.backward()
            torch.cat([part.grad.reshape(-1) for part in cut], out=matrix[t])
            for part in cut:
                part.grad = None
        combined = self.combined(matrix).split([part.numel() for part in cut])
        torch.autograd.backward([experts, x], [g.view_as(part) for g, part in zip(combined, cut)])
        return losses

    def timed(self, count):
        times = []
        for _ in range(count):
            start = time.perf_counter()
            self.step()
            times.append((time.perf_counter() - start) * 1e3)
        return statistics.median(times)


checks, tried = {}, {}
for variant in sys.argv[5:] or ["list", "batched", "joined"]:
    run = Run(variant)
    # The epoch that both sides agree on comes first, so it warms the rest up.
    checks[variant] = statistics.mean(run.step() for _ in range(STEPS))
    tried[variant] = run.timed(STEPS // 2)
    del run
best = min(tried, key=tried.get)
run = Run(best)
run.timed(STEPS // 2)
print(
    json.dumps(
        {
            "peer": f"PyTorch {torch.__version__} ({best})",
            "ms": run.timed(STEPS * rounds),
            "check": checks[best],
            "ms_per_step": {variant: round(value, 3) for variant, value in tried.items()},
            "checks": checks,
        }
    )
)
