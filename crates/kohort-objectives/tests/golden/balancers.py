"""Golden values for balancers. Run: python balancers.py > balancers.json

Each method is written out on gradient vectors, or with PyTorch's autograd and Adam, by other ways than the crate's: PCGrad and GradVac
project vectors; MGDA's and CAGrad's problems are solved by projected gradient descent over the simplex in f64; Nash-MTL by
coordinate descent; GradNorm's weights are moved by torch.optim.Adam along autograd's gradient of its loss. Gradients are
multiples of 1/64, so that they are the same numbers everywhere. Orders are given, because the crate's come from its own streams.
"""
import itertools
import json

import numpy as np
import torch

torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(11)


def gradients(n, dim, mean, scales):
    g = rng.normal(mean, 1.0, (n, dim)) * np.array(scales)[:, None]
    return np.round(g * 64) / 64


def pcgrad_copy(g, i, order):
    x = g[i].copy()
    for j in order:
        dot = x @ g[j]
        if dot < 0:
            x = x - dot / (g[j] @ g[j]) * g[j]
    return x


def gradvac(g, orders, target, beta):
    """The update and the targets after it; targets are held in [-0.95, 0.95], which the crate states."""
    total = np.zeros(g.shape[1])
    for i, order in enumerate(orders):
        x = g[i].copy()
        for j in order:
            nx, nj = np.linalg.norm(x), np.linalg.norm(g[j])
            phi, want = x @ g[j] / (nx * nj), target[i, j]
            if phi < want:
                x = x + nx * (want * np.sqrt(1 - phi**2) - phi * np.sqrt(1 - want**2)) / (nj * np.sqrt(1 - want**2)) * g[j]
            target[i, j] = np.clip((1 - beta) * want + beta * phi, -0.95, 0.95)
        total += x
    return total


def onto_simplex(v):
    u = np.sort(v)[::-1]
    css = (np.cumsum(u) - 1) / np.arange(1, len(v) + 1)
    k = np.nonzero(u > css)[0][-1]
    return np.maximum(v - css[k], 0)


def descend(value, slope, n):
    """Projected gradient descent with a step that halves where it does not help and grows where it does."""
    w, step = np.full(n, 1 / n), 1.0
    now = value(w)
    for _ in range(200_000):
        nxt = onto_simplex(w - step * slope(w))
        then = value(nxt)
        if then < now:
            w, now, step = nxt, then, step * 1.3
        else:
            step /= 2
            if step < 1e-18:
                break
    return w


def mgda(g):
    gram = g @ g.T
    return descend(lambda w: w @ gram @ w, lambda w: 2 * gram @ w, len(g))


def cagrad(g, c):
    gram = g @ g.T
    n = len(g)
    to_mean, s = gram.mean(1), c * np.sqrt(gram.mean())
    length = lambda w: np.sqrt(w @ gram @ w)
    w = descend(lambda w: w @ to_mean + s * length(w), lambda w: to_mean + s * (gram @ w) / length(w), n)
    return g.mean(0) + s / length(w) * (w @ g)


def nash(g):
    gram = g @ g.T
    m = gram / np.linalg.norm(gram)
    a = 1 / np.sqrt(np.diag(m))
    for _ in range(20_000):
        for i in range(len(a)):
            rest = m[i] @ a - m[i, i] * a[i]
            a[i] = (-rest + np.sqrt(rest**2 + 4 * m[i, i])) / (2 * m[i, i])
    assert np.abs(m @ a * a - 1).max() < 1e-12
    return a


def gradnorm(norms, losses, alpha, rate):
    """Weights used in each step: Adam on u = ln w, then w scaled to sum to K."""
    k = norms.shape[1]
    u = torch.zeros(k, requires_grad=True)
    adam = torch.optim.Adam([u], lr=rate)
    first, used = torch.tensor(losses[0]), []
    for n, loss in zip(torch.tensor(norms), torch.tensor(losses)):
        used.append(u.detach().exp().tolist())
        weighted = u.exp() * n
        progress = loss / first
        target = (weighted.mean() * (progress / progress.mean()) ** alpha).detach()
        adam.zero_grad()
        (weighted - target).abs().sum().backward()
        adam.step()
        with torch.no_grad():
            u += torch.log(k / u.exp().sum())
    return used


def uncertainty(losses, forms, rate):
    """Weights used in each step, by autograd of Kendall's total; losses are constants."""
    s = torch.zeros(len(forms), requires_grad=True)
    half = torch.tensor([0.5 if form == "regression" else 1.0 for form in forms])
    adam = torch.optim.Adam([s], lr=rate)
    used = []
    for loss in torch.tensor(losses):
        used.append((half * torch.exp(-s)).tolist())
        adam.zero_grad()
        (half * torch.exp(-s) * loss + s / 2).sum().backward()
        adam.step()
    return used


def dwa(losses, period, temperature):
    epochs = losses.reshape(-1, period, losses.shape[1]).mean(1)
    used = []
    for e in range(len(epochs)):
        if e < 2:
            w = torch.ones(losses.shape[1])
        else:
            w = losses.shape[1] * torch.softmax(torch.tensor(epochs[e - 1] / epochs[e - 2]) / temperature, 0)
        used += [w.tolist()] * period
    return used


def groupdro(losses, rate, adjustment, rows):
    """q after each step, all groups present, by the paper's update; times the number of groups."""
    q = np.full(losses.shape[1], 1 / losses.shape[1])
    used = []
    for loss in losses:
        q = q * np.exp(rate * (loss + adjustment / np.sqrt(rows)))
        q = q / q.sum()
        used.append((q * len(q)).tolist())
    return used


def main():
    out = {"numpy": np.__version__, "torch": torch.__version__, "vectors": [], "sequences": {}}
    shapes = [(2, 3, 0.0, [1, 1]), (2, 5, 0.5, [1, 20]), (3, 4, 0.0, [1, 1, 1]), (3, 6, 0.4, [0.5, 1, 8]), (4, 8, 0.3, [1, 2, 1, 4])]
    for n, dim, mean, scales in shapes:
        g = gradients(n, dim, mean, scales)
        copies = [
            {"i": i, "order": list(order), "copy": pcgrad_copy(g, i, order).tolist()}
            for i in range(n)
            for order in itertools.permutations([j for j in range(n) if j != i])
        ]
        out["vectors"].append({
            "n": n,
            "gradients": g.ravel().tolist(),
            "pcgrad": copies,
            "mgda": (mgda(g) @ g).tolist(),
            "cagrad": [{"c": c, "direction": cagrad(g, c).tolist()} for c in (0.2, 0.5, 0.9)],
            "nash": nash(g).tolist(),
        })
    # Two objectives have one order, so GradVac can run over steps.
    steps = [gradients(2, 5, mean, [1, 3]) for mean in (0.9, 0.8, 0.9, 1.0, -0.1, 0.0, 0.2)]
    target = np.zeros((2, 2))
    out["gradvac"] = {
        "beta": 0.3,
        "steps": [{"gradients": g.ravel().tolist(), "update": gradvac(g, [[1], [0]], target, 0.3).tolist()} for g in steps],
        "targets": target.ravel().tolist(),
    }
    norms = np.round(np.abs(rng.normal(0, 1, (40, 3))) * [64, 640, 6]) / 64 + 1 / 64
    losses = np.round(np.abs(rng.normal(1, 0.3, (40, 3))) * [64, 128, 32]) / 64 + 1 / 64
    out["sequences"] = {
        "norms": norms.ravel().tolist(),
        "losses": losses.ravel().tolist(),
        "gradnorm": {"alpha": 1.5, "rate": 0.025, "weights": gradnorm(norms, losses, 1.5, 0.025)},
        "uncertainty": {"rate": 0.02, "weights": uncertainty(losses, ["regression", "classification", "regression"], 0.02)},
        "dwa": {"period": 4, "temperature": 2.0, "weights": dwa(losses, 4, 2.0)},
        "groupdro": {"rate": 0.05, "adjustment": 1.5, "rows": [100.0, 9.0, 2500.0],
                     "weights": groupdro(losses, 0.05, 1.5, np.array([100.0, 9.0, 2500.0]))},
    }
    print(json.dumps(out))


main()
