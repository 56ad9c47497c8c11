"""Golden losses and metrics of LightGCN and of matrix factorisation (0 layers) from PyTorch on a small made-up graph.

    python3 -m venv venv && venv/bin/pip install torch==2.15.0 numpy
    venv/bin/python lightgcn.py > lightgcn.json

Three epochs in float64 from stated embeddings, in a stated order of rows with stated negatives: sparse products layer by layer,
gradients by autograd, steps by torch.optim.Adam. Loss is that of the paper's code (gusye1234/LightGCN-PyTorch): the batch's mean of
softplus(negative - positive), and half the squared embeddings of its nodes over its rows, times the penalty. Recall and
NDCG at 20 as there: the whole catalogue without training items, means over users with a test item.
"""

import json

import numpy as np
import torch

USERS, ITEMS, WIDTH, BATCH, EPOCHS, SEED = 24, 60, 8, 64, 3, 7
RATE, PENALTY, K = 0.01, 0.02, 20
rng = np.random.RandomState(SEED)
train, test = [], []
for u in range(USERS):
    near = [i for i in range(ITEMS - 2) if i % 3 == u % 3]  # the last two items have no row
    own = set(rng.choice(near, 9, replace=False)) | set(rng.choice(ITEMS - 2, 4, replace=False))
    own = [int(i) for i in rng.permutation(sorted(own))]
    train += [(u, i) for i in own[3:]]
    test += [(u, i) for i in own[:3]]
train = [train[n] for n in rng.permutation(len(train))]
taken = [{i for v, i in train if v == u} for u in range(USERS)]
start = rng.normal(0.0, 0.1, (USERS + ITEMS, WIDTH)).astype(np.float32)


def negative(u):
    while (i := int(rng.randint(ITEMS))) in taken[u]:
        pass
    return i


epochs = []
for _ in range(EPOCHS):
    epochs.append([(train[n][0], train[n][1], negative(train[n][0])) for n in rng.permutation(len(train))])

degree = np.zeros(USERS + ITEMS)
for u, i in train:
    degree[u] += 1
    degree[USERS + i] += 1
places, values = [], []
for u, i in train:
    w = 1.0 / np.sqrt(degree[u] * degree[USERS + i])
    places += [(u, USERS + i), (USERS + i, u)]
    values += [w, w]
graph = torch.sparse_coo_tensor(
    torch.tensor(places).T, torch.tensor(values, dtype=torch.float64), (USERS + ITEMS, USERS + ITEMS)
).coalesce()


def propagate(e, layers):
    all_layers = [e]
    for _ in range(layers):
        all_layers.append(torch.sparse.mm(graph, all_layers[-1]))
    return torch.stack(all_layers).mean(0)


def metrics(x):
    scores = (x[:USERS] @ x[USERS:].T).detach().numpy()
    recalls, ndcgs = [], []
    for u in range(USERS):
        held = {i for v, i in test if v == u}
        order = sorted((i for i in range(ITEMS) if i not in taken[u]), key=lambda i: -scores[u, i])
        gaps = [abs(scores[u, i] - scores[u, j]) for i in held for j in order if j not in held]
        assert min(gaps) > 1e-6, "an order that rounding could change proves nothing"
        hits = [1.0 if i in held else 0.0 for i in order[:K]]
        ideal = sum(1.0 / np.log2(r + 2) for r in range(min(K, len(held))))
        recalls.append(sum(hits) / len(held))
        ndcgs.append(sum(h / np.log2(r + 2) for r, h in enumerate(hits)) / ideal)
    return float(np.mean(recalls)), float(np.mean(ndcgs))


cases = []
for layers in (3, 1, 0):
    e = torch.nn.Parameter(torch.tensor(start.astype(np.float64)))
    adam = torch.optim.Adam([e], lr=RATE)
    found = []
    for rows in epochs:
        loss_sum, penalty_sum, batches = 0.0, 0.0, 0
        for at in range(0, len(rows), BATCH):
            u, i, j = torch.tensor(rows[at : at + BATCH]).T
            x = propagate(e, layers)
            margin = (x[u] * x[USERS + i]).sum(1) - (x[u] * x[USERS + j]).sum(1)
            loss = torch.nn.functional.softplus(-margin).mean()
            squares = e[u].pow(2).sum() + e[USERS + i].pow(2).sum() + e[USERS + j].pow(2).sum()
            penalty = PENALTY * 0.5 * squares / len(u)
            adam.zero_grad()
            (loss + penalty).backward()
            adam.step()
            loss_sum += loss.item() * len(u)
            penalty_sum += penalty.item()
            batches += 1
        recall, ndcg = metrics(propagate(e, layers))
        found.append({"loss": loss_sum / len(rows), "penalty": penalty_sum / batches, "recall": recall, "ndcg": ndcg})
    last = propagate(e, layers).detach().numpy().ravel()
    cases.append({"layers": layers, "epochs": found, "representations": [round(float(v), 9) for v in last]})

print(
    json.dumps(
        {
            "made_by": f"torch {torch.__version__}, numpy {np.__version__}",
            "users": USERS,
            "items": ITEMS,
            "width": WIDTH,
            "batch": BATCH,
            "rate": RATE,
            "penalty": PENALTY,
            "train": train,
            "test": test,
            "start": [float(v) for v in start.ravel()],
            "epochs": epochs,
            "cases": cases,
        },
        separators=(",", ":"),
    )
)
