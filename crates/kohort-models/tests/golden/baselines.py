"""Golden predictions for the baselines, from scikit-surprise on a small made-up table.

    python3 -m venv venv && venv/bin/pip install scikit-surprise==1.1.5 "numpy<2"
    venv/bin/python baselines.py > baselines.json

The table has 12 users and 10 items; user 11 and item 9 have no training row. Every (user, item) pair is asked for,
so newcomers, pairs that were trained on and pairs that were not all occur. For the factor models the numbers that
Surprise draws are written out, by our ids, so that both sides start from the same factors.
"""

import json

import numpy as np
import surprise
from surprise import NMF, SVD, BaselineOnly, Dataset, KNNBaseline, KNNBasic, KNNWithMeans, KNNWithZScore, Reader, SlopeOne, SVDpp

USERS, ITEMS, SEED = 12, 10, 20240817
rng = np.random.RandomState(SEED)
rows = [(u, i, float(rng.randint(1, 6))) for u in range(USERS - 1) for i in range(ITEMS - 1) if rng.rand() < 0.65]
rows = [rows[n] for n in rng.permutation(len(rows))]
# A user whose ratings are all the same has no spread, which z-scores must bear.
rows = [(u, i, 4.0 if u == 3 else r) for u, i, r in rows]


class Rows(Dataset):
    def __init__(self):
        super().__init__(Reader(rating_scale=(1, 5)))
        self.raw_ratings = [(u, i, r, None) for u, i, r in rows]


trainset = Rows().construct_trainset(Rows().raw_ratings)


def predictions(algo):
    algo.fit(trainset)
    return [algo.predict(u, i, clip=False).est for u in range(USERS) for i in range(ITEMS)]


def by_our_ids(table, count, inner, names):
    out = [[0.0] * table.shape[1] for _ in range(count)]
    for at in range(table.shape[0]):
        out[names(at)] = table[at].tolist()
    return out


def start(tables):
    """The first draws of RandomState(SEED), tables in the order in which Surprise asks for them."""
    drawn = {}
    for name, table in tables.items():
        side = USERS if name == "users" else ITEMS
        names = trainset.to_raw_uid if name == "users" else trainset.to_raw_iid
        drawn[name] = by_our_ids(table, side, None, names)
    return drawn


def normal(factors, names):
    draw = np.random.RandomState(SEED)
    size = {"users": trainset.n_users, "items": trainset.n_items, "implicit": trainset.n_items}
    return start({name: draw.normal(0, 0.1, (size[name], factors)) for name in names})


def uniform(factors):
    draw = np.random.RandomState(SEED)
    return start({
        "users": draw.uniform(0, 1, (trainset.n_users, factors)),
        "items": draw.uniform(0, 1, (trainset.n_items, factors)),
    })


FACTORS = 6
out = {
    "surprise": surprise.__version__,
    "numpy": np.__version__,
    "users": USERS,
    "items": ITEMS,
    "user": [u for u, _, _ in rows],
    "item": [i for _, i, _ in rows],
    "rating": [r for _, _, r in rows],
    "factors": FACTORS,
    "svd_start": normal(FACTORS, ["users", "items"]),
    "svd": predictions(SVD(n_factors=FACTORS, random_state=SEED)),
    "svdpp_start": normal(FACTORS, ["users", "items", "implicit"]),
    "svdpp": predictions(SVDpp(n_factors=FACTORS, random_state=SEED)),
    "nmf_start": uniform(FACTORS),
    "nmf": predictions(NMF(n_factors=FACTORS, random_state=SEED)),
    "bias": predictions(BaselineOnly(verbose=False)),
    "slope_one": predictions(SlopeOne()),
    "knn": [],
}
centres = {"none": KNNBasic, "mean": KNNWithMeans, "z-score": KNNWithZScore, "bias": KNNBaseline}
for user_based in [True, False]:
    for centre, algo in centres.items():
        for similarity in ["msd", "cosine", "pearson", "pearson_baseline"]:
            for k, min_k in [(40, 1), (3, 2)]:
                options = {"name": similarity, "user_based": user_based}
                out["knn"].append({
                    "neighbours": "users" if user_based else "items",
                    "centre": centre,
                    "similarity": similarity,
                    "k": k,
                    "min_k": min_k,
                    "predictions": predictions(algo(k=k, min_k=min_k, sim_options=options, verbose=False)),
                })
print(json.dumps(out))
