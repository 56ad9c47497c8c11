"""Golden features and logits for the cross-market ranker, from numpy on a small made-up table.

    python3 -m venv venv && venv/bin/pip install numpy==1.26.4
    venv/bin/python crossmarket.py > crossmarket.json

The formulas are those of src/crossmarket/features.rs and net.rs, computed the slow way in float64: pairs of items are counted
in dense matrices, decayed counts are summed row by row, and a training row is described from a table without it.
"""

import json
import sys

import numpy as np

USERS, ITEMS, TERRITORIES, SEED = 12, 9, 3, 20261122
POPULARITY, RECENCY, NEAR, SHRINKAGE, MOST = 365.0, 180.0, 30.0, 3.0, 4
rng = np.random.RandomState(SEED)
territory = rng.randint(0, TERRITORIES, USERS)
rows = []
for u in range(USERS - 1):  # the last user has no row
    for i in rng.permutation(ITEMS - 1)[: rng.randint(1, 7)]:  # nor has the last item
        rows.append((u, int(i), int(rng.randint(0, 30)) * 25))  # days, so that some tie
rows = [rows[n] for n in rng.permutation(len(rows))]


def ordered(user):
    own = [(d, n, i) for n, (u, i, d) in enumerate(rows) if u == user]
    return sorted(own)


def features(table, m, history, now, item):
    """table: rows that are known; history: [(item, day)], first entry first."""
    n = np.zeros(ITEMS)
    c = np.zeros((ITEMS, ITEMS))
    near = np.zeros((ITEMS, ITEMS))
    for _, i, _ in table:
        n[i] += 1
    for u in range(USERS):
        own = [(i, d) for v, i, d in table if v == u]
        for i, d in own:
            for j, e in own:
                if i != j:
                    c[i, j] += 1
                    near[i, j] += np.exp(-abs(d - e) / NEAR)
    local = [d for u, i, d in table if i == item and territory[u] == m]
    recent = sum(np.exp(-abs(now - d) / POPULARITY) for d in local)
    s = SHRINKAGE
    similar = sum(c[item, j] / ((n[j] + s) ** 0.75 * (n[item] + s) ** 0.25) for j, _ in history)
    recently = sum(np.exp(-abs(now - d) / RECENCY) * c[item, j] / (n[j] + s) for j, d in history)
    close = sum(near[item, j] / (n[j] + s) for j, _ in history)
    last = c[item, history[0][0]] / np.sqrt((n[history[0][0]] + s) * (n[item] + s)) if history else 0.0
    return [
        float(x)
        for x in (
            np.log(len(local) + 0.5),
            np.log(n[item] + 0.5),
            np.log(recent + 0.1),
            np.log(0.01 + similar),
            np.log(0.01 + recently),
            np.log(0.01 + close),
            np.log(0.01 + last),
        )
    ]


after_all = max(d for _, _, d in rows) + 1
asked = []  # scoring: every user, every item
for u in range(USERS):
    history = [(i, d) for d, _, i in reversed(ordered(u))][:MOST]
    now = history[0][1] if history else after_all
    asked.append([features(rows, territory[u], history, now, i) for i in range(ITEMS)])
trained = []  # training: every row and its item
for r, (u, item, day) in enumerate(rows):
    own = ordered(u)
    place = [n for _, n, _ in own].index(r)
    around = own[:place][::-1] + own[place + 1 :]
    history = [(i, d) for d, _, i in around][:MOST]
    now = history[0][1] if history else day
    without = rows[:r] + rows[r + 1 :]
    trained.append(features(without, territory[u], history, now, item))

D, TOWER, HIDDEN, F = 3, 4, 5, 7
shapes = {
    "history": (ITEMS, D),
    "title": (ITEMS, D),
    "user/hidden/w": (D, TOWER),
    "user/hidden/b": (1, TOWER),
    "user/out/w": (TOWER, D),
    "user/out/b": (1, D),
    "title/hidden/w": (D, TOWER),
    "title/hidden/b": (1, TOWER),
    "title/out/w": (TOWER, D),
    "title/out/b": (1, D),
    "scale": (1, 1),
    "weights": (F, 1),
    "features/0/w": (F, HIDDEN),
    "features/0/b": (1, HIDDEN),
    "features/1/w": (HIDDEN, HIDDEN),
    "features/1/b": (1, HIDDEN),
    "features/out": (HIDDEN, 1),
}
for m in range(TERRITORIES):
    shapes |= {f"block/{m}/w": (D, D), f"block/{m}/b": (1, D), f"weights/{m}/w": (F, 1)}
w = {name: np.round(rng.normal(0, 0.5, shape), 3) for name, shape in shapes.items()}


def relu(x):
    return np.maximum(x, 0)


def tower(x, name):
    return x + relu(x @ w[f"{name}/hidden/w"] + w[f"{name}/hidden/b"]) @ w[f"{name}/out/w"] + w[f"{name}/out/b"]


logits = []
for u in range(USERS):
    m = territory[u]
    items = [i for _, _, i in reversed(ordered(u))][:MOST]
    x = w["history"][items].sum(0, keepdims=True) / np.sqrt(max(len(items), 1))
    a = tower(x, "user")
    user = a + a @ w[f"block/{m}/w"] + w[f"block/{m}/b"]
    title = tower(w["title"], "title")
    f = np.array(asked[u])
    hidden = relu(f @ w["features/0/w"] + w["features/0/b"])
    hidden = relu(hidden @ w["features/1/w"] + w["features/1/b"])
    evidence = f @ w["weights"] + f @ w[f"weights/{m}/w"] + hidden @ w["features/out"]
    logits.append((evidence[:, 0] + w["scale"][0, 0] * (title @ user[0])).tolist())

json.dump(
    {
        "users": USERS,
        "items": ITEMS,
        "territories": TERRITORIES,
        "most_history": MOST,
        "territory": territory.tolist(),
        "user": [u for u, _, _ in rows],
        "item": [i for _, i, _ in rows],
        "day": [d for _, _, d in rows],
        "asked": asked,
        "trained": trained,
        "sizes": [D, TOWER, HIDDEN],
        "weights": {name: value.reshape(-1).tolist() for name, value in w.items()},
        "logits": logits,
    },
    sys.stdout,
)
