"""Golden values for the two towers, from PyTorch's autograd in 64 bits on a tiny made-up input.

    python3 -m venv venv && venv/bin/pip install torch==2.15.0 numpy==2.4.6    # Python 3.11
    venv/bin/python towers.py > towers.json

Five users in two groups, six titles, shown rows with labels. Every layer is written out with plain tensors; the masked form
(all K scores, one-hot mask) is what is differentiated, so the gathered form has an independent witness. Weights are [in, out].
Cases: baseline; residual blocks of one and two layers and a learned scale, both denominators, with and without row weights; own last layers;
in-batch softmax with and without the correction for popularity.
"""

import json
import sys

import numpy as np
import torch

torch.set_default_dtype(torch.float64)
rng = np.random.RandomState(20231005)
USERS, ITEMS, USER_WIDTH, TITLE_WIDTH, GROUPS = 5, 6, 3, 4, 2


def draw(*shape):
    # Values that 32 bits hold exactly, so that both sides start from the same.
    return np.float32(rng.normal(size=shape) * 0.7).astype(np.float64)


users, titles = draw(USERS, USER_WIDTH), draw(ITEMS, TITLE_WIDTH)
group = [0, 1, 1, 0, 1]
rows = [(0, 1, 1), (0, 3, 0), (1, 0, 1), (2, 5, 0), (2, 1, 1), (3, 2, 1), (4, 4, 0), (4, 0, 1)]
weights = [1.0, 0.5, 2.0, 0.0, 1.5, 1.0, 0.25, 3.0]
shared = {
    "user/0/w": draw(USER_WIDTH, 5), "user/0/b": draw(1, 5), "user/1/w": draw(5, 2), "user/1/b": draw(1, 2),
    "title/0/w": draw(TITLE_WIDTH, 5), "title/0/b": draw(1, 5), "title/1/w": draw(5, 2), "title/1/b": draw(1, 2),
    "logit/scale": np.array([[1.75]]), "logit/bias": np.array([[-0.5]]),
}
residual, single, own = {}, {}, {}
for k in range(GROUPS):
    residual |= {f"group{k}/block/0/w": draw(2, 3), f"group{k}/block/0/b": draw(1, 3)}
    residual |= {f"group{k}/block/1/w": draw(3, 2), f"group{k}/block/1/b": draw(1, 2)}
    single |= {f"group{k}/block/0/w": draw(2, 2), f"group{k}/block/0/b": draw(1, 2)}
    own |= {f"group{k}/user/1/w": draw(5, 2), f"group{k}/user/1/b": draw(1, 2)}


def user_tower(p, x, k, relu_first):
    h = torch.relu(x @ p["user/0/w"] + p["user/0/b"])
    of = f"group{k}/" if f"group{k}/user/1/w" in p else ""
    z = h @ p[of + "user/1/w"] + p[of + "user/1/b"]
    if f"group{k}/block/0/w" in p:
        g = (torch.relu(z) if relu_first else z) @ p[f"group{k}/block/0/w"] + p[f"group{k}/block/0/b"]
        if f"group{k}/block/1/w" in p:
            g = torch.relu(g) @ p[f"group{k}/block/1/w"] + p[f"group{k}/block/1/b"]
        z = z + g
    return z


def title_tower(p, x):
    return torch.relu(x @ p["title/0/w"] + p["title/0/b"]) @ p["title/1/w"] + p["title/1/b"]


def case(name, values, grouped, denominator, weighted, loss="logistic"):
    p = {key: torch.tensor(value, requires_grad=True) for key, value in values.items()}
    chosen = [r for r in rows if r[2] == 1] if loss.startswith("softmax") else rows
    row_weights = [w for r, w in zip(rows, weights) if r in chosen] if weighted else [1.0] * len(chosen)
    u, i, y = (torch.tensor([r[n] for r in chosen]) for n in range(3))
    w = torch.tensor(row_weights)
    groups = GROUPS if grouped else 1
    mask = torch.nn.functional.one_hot(torch.tensor([group[r[0]] if grouped else 0 for r in chosen]), groups).double()
    xs, xt = torch.tensor(users)[u], torch.tensor(titles)
    z = [user_tower(p, xs, k, "ReLU first" in name) for k in range(groups)]
    if loss.startswith("softmax"):
        pool = sorted({r[1] for r in chosen})
        all_logits = [p["logit/scale"] * (zk @ title_tower(p, xt[pool]).T) for zk in z]
        correction = torch.zeros(len(chosen), len(pool))
        for n, (user, item, _) in enumerate(chosen):
            for c, title in enumerate(pool):
                if loss.endswith("log-q"):
                    correction[n, c] -= np.log(sum(r[1] == title for r in chosen) / len(chosen))
                if title != item and (user, title, 1) in chosen:
                    correction[n, c] = -1e9
        target = torch.tensor([pool.index(r[1]) for r in chosen])
        each = torch.stack([torch.nn.functional.cross_entropy(l + correction, target, reduction="none") for l in all_logits], 1)
        scores = torch.stack([l[torch.arange(len(chosen)), target] for l in all_logits], 1)
    else:
        v = title_tower(p, xt[i])
        scores = torch.stack([(p["logit/scale"] * (zk * v).sum(1, keepdim=True) + p["logit/bias"])[:, 0] for zk in z], 1)
        each = torch.nn.functional.binary_cross_entropy_with_logits(scores, y.double()[:, None].expand_as(scores), reduction="none")
    sums = (each * mask * w[:, None]).sum(0)
    by = {"rows": torch.full((groups,), float(len(chosen))), "mask": mask.sum(0), "weight": (mask * w[:, None]).sum(0)}
    losses = sums / by[denominator]
    losses.sum().backward()
    return {
        "name": name, "grouped": grouped, "denominator": denominator, "weighted": weighted, "loss": loss,
        "params": {key: value.flatten().tolist() for key, value in values.items()},
        "logits": (scores * mask).sum(1).tolist(),
        "losses": losses.tolist(),
        "grads": {key: (t.grad if t.grad is not None else torch.zeros_like(t)).flatten().tolist() for key, t in p.items()},
    }


no_last = {key: value for key, value in shared.items() if not key.startswith("user/1")}
cases = [
    case("baseline", shared, False, "rows", False),
    case("baseline, weighted", shared, False, "weight", True),
    case("residual, 1/B", shared | residual, True, "rows", False),
    case("residual, per group", shared | residual, True, "mask", False),
    case("residual, 1/B, weighted", shared | residual, True, "rows", True),
    case("residual, per group, weighted", shared | residual, True, "mask", True),
    case("ReLU first, one layer", shared | single, True, "rows", False),
    case("ReLU first, two layers, weighted", shared | residual, True, "mask", True),
    case("own layer", no_last | own, True, "mask", False),
    case("own layer and residual", no_last | own | residual, True, "rows", False),
    case("softmax", shared | residual, True, "rows", False, "softmax"),
    case("softmax, per group, log q", shared | residual, True, "mask", False, "softmax-log-q"),
]
json.dump(
    {
        "made_by": f"torch {torch.__version__}, numpy {np.__version__}, Python {sys.version.split()[0]}",
        "users": USERS, "items": ITEMS, "user_width": USER_WIDTH, "title_width": TITLE_WIDTH,
        "user_vectors": users.flatten().tolist(), "title_vectors": titles.flatten().tolist(),
        "group": group, "rows": rows, "weights": weights, "cases": cases,
    },
    sys.stdout,
)
