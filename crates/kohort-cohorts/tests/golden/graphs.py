"""Golden values for graphs: modularity, CPM, projections, NMI, adjusted Rand and spectra. Run: python graphs.py > graphs.json

Modularity comes from networkx and igraph (they must agree), CPM from its formula over a dense matrix, projections from dense
matrices, agreement from scikit-learn, spectra from numpy, the best CPM of 200 runs from igraph.
"""
import json
import math
import random

import igraph
import networkx as nx
import numpy as np
import sklearn
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

rng = np.random.default_rng(7)


def qualities():
    cases = []
    for name, nodes, edges, weighted, loops in [
        ("plain", 30, 80, False, False),
        ("weighted", 40, 120, True, False),
        ("weighted with loops", 25, 60, True, True),
    ]:
        told = {}
        while len(told) < edges:
            u, v = sorted(rng.integers(nodes, size=2).tolist())
            if u != v or loops:
                told[(u, v)] = float(rng.integers(1, 40) / 8) if weighted else 1.0
        if loops:
            told[(3, 3)] = 2.5
        labels = rng.integers(5, size=nodes).tolist()
        graph = nx.Graph()
        graph.add_nodes_from(range(nodes))
        graph.add_weighted_edges_from((u, v, w) for (u, v), w in told.items())
        peer = igraph.Graph(nodes, list(told))
        groups = [{n for n in range(nodes) if labels[n] == c} for c in sorted(set(labels))]
        a = np.zeros((nodes, nodes))
        for (u, v), w in told.items():
            a[u, v] += w
            a[v, u] += w  # a loop counts twice
        out = {"name": name, "nodes": nodes, "edges": [[u, v, w] for (u, v), w in told.items()], "labels": labels}
        out["modularity"], out["cpm"] = {}, {}
        for gamma in (1.0, 0.4, 2.0):
            ours = nx.community.modularity(graph, groups, resolution=gamma)
            theirs = peer.modularity(labels, weights=list(told.values()), resolution=gamma)
            assert abs(ours - theirs) < 1e-12, (ours, theirs)
            out["modularity"][str(gamma)] = ours
            h = 0.0
            for group in groups:
                rows = sorted(group)
                h += a[np.ix_(rows, rows)].sum() / 2 - gamma * len(rows) * (len(rows) - 1) / 2
            out["cpm"][str(gamma)] = h
        cases.append(out)
    return cases


def g2(k11, k12, k21, k22):
    n = k11 + k12 + k21 + k22
    rows, columns = (k11 + k12, k21 + k22), (k11 + k21, k12 + k22)
    if k11 * n <= rows[0] * columns[0]:
        return 0.0
    total = 0.0
    for k, r, c in [(k11, 0, 0), (k12, 0, 1), (k21, 1, 0), (k22, 1, 1)]:
        if k:
            total += k * math.log(k * n / (rows[r] * columns[c]))
    return 2 * total


def projection():
    users, items = 40, 25
    w = np.where(rng.random((users, items)) < 0.25, rng.integers(1, 9, size=(users, items)) / 2, 0.0)
    b = w > 0
    user, item = np.nonzero(w)
    out = {
        "users": users,
        "items": items,
        "user": user.tolist(),
        "item": item.tolist(),
        "weight": w[user, item].tolist(),
        "similarity": {},
    }
    common = (b[:, None, :] & b[None, :, :]).sum(2)
    either = (b[:, None, :] | b[None, :, :]).sum(2)
    norm = np.sqrt((w**2).sum(1))
    taken = b.sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        out["similarity"]["cosine"] = np.nan_to_num(w @ w.T / np.outer(norm, norm)).tolist()
        out["similarity"]["jaccard"] = np.nan_to_num(common / either).tolist()
    out["similarity"]["log-likelihood"] = [
        [g2(*map(int, (common[u, v], taken[u] - common[u, v], taken[v] - common[u, v], items - taken[u] - taken[v] + common[u, v])))
         for v in range(users)] for u in range(users)
    ]
    return out


def agreement():
    cases = []
    for parts_a, parts_b, things in [(4, 3, 60), (1, 5, 30), (12, 12, 40), (2, 2, 9)]:
        a, b = rng.integers(parts_a, size=things), rng.integers(parts_b, size=things)
        b = np.where(rng.random(things) < 0.5, a, b)
        cases.append({
            "a": a.tolist(),
            "b": b.tolist(),
            "nmi": float(normalized_mutual_info_score(a, b)),
            "ari": float(adjusted_rand_score(a, b)),
        })
    return cases


def spectrum():
    graph = nx.karate_club_graph()
    out = {}
    for name, weight in [("karate", None), ("weighted karate", "weight")]:
        laplacian = nx.normalized_laplacian_matrix(graph, weight=weight).toarray()
        out[name] = np.linalg.eigvalsh(laplacian)[:6].tolist()
    return out


def best_cpm():
    random.seed(1)  # igraph draws from it
    graph = nx.karate_club_graph()
    weights = [d["weight"] for _, _, d in graph.edges(data=True)]
    out = {"karate": {}, "weighted karate": {}}
    for name, weights in [("karate", [1] * 78), ("weighted karate", weights)]:
        peer = igraph.Graph(34, list(graph.edges()))
        for gamma in (0.05, 0.1, 0.25, 0.6):
            best = -math.inf
            for _ in range(200):
                found = peer.community_leiden("CPM", weights=weights, resolution=gamma, n_iterations=-1)
                labels = found.membership
                inside = sum(w for (u, v), w in zip(graph.edges(), weights) if labels[u] == labels[v])
                best = max(best, inside - gamma * sum(n * (n - 1) / 2 for n in found.sizes()))
            out[name][str(gamma)] = best
    return out


print(json.dumps({
    "versions": {"networkx": nx.__version__, "igraph": igraph.__version__, "scikit-learn": sklearn.__version__, "numpy": np.__version__},
    "qualities": qualities(),
    "projection": projection(),
    "agreement": agreement(),
    "spectrum": spectrum(),
    "best_cpm": best_cpm(),
}))
