"""Leiden and Louvain beside igraph and networkx, on one generated graph. Needs igraph and numpy (networkx for --networkx).

    cargo build --release -p kohort-cohorts --example leiden_bench
    python leiden_bench.py target/release/examples/leiden_bench 100000 20 2 [--networkx]

Arguments: the program, nodes, mean degree, iterations. The graph is like LFR: degrees and community sizes follow power laws
(exponents 2.5 and 1.5, degrees to 25 means, sizes 20 to 1,000), a share of .4 of each node's edges leaves its community, stubs are
matched at random and repeats and loops dropped. Every peer gets the same edges, the same number of iterations, one thread, and no
time for building its graph. The least of three runs is told; runs of the two programs alternate.
"""
import json
import os
import subprocess
import sys
import tempfile
import time

import igraph
import numpy as np

program, nodes, degree, iterations = sys.argv[1], *map(int, sys.argv[2:5])
rng = np.random.default_rng(3)


def power_law(count, exponent, low, high):
    u = rng.random(count)
    a = 1 - exponent
    return (low**a + u * (high**a - low**a)) ** (1 / a)


sizes = []
while sum(sizes) < nodes:
    sizes.append(int(power_law(1, 1.5, 20, 1000)[0]))
community = np.repeat(np.arange(len(sizes)), sizes)[:nodes]
degrees = power_law(nodes, 2.5, 1, 25)
degrees = np.maximum(2, degrees * degree / degrees.mean() * 1.02)
inside = np.floor(degrees * 0.6 + rng.random(nodes)).astype(int)
outside = np.floor(degrees * 0.4 + rng.random(nodes)).astype(int)


def match(stubs, key):
    order = np.lexsort((rng.random(len(stubs)), key))
    stubs, key = stubs[order], key[order]
    pairs = len(stubs) // 2 * 2
    a, b = stubs[0:pairs:2], stubs[1:pairs:2]
    same = key[0:pairs:2] == key[1:pairs:2]
    return a[same], b[same]


stubs = np.repeat(np.arange(nodes), inside)
a, b = match(stubs, community[stubs])
stubs = np.repeat(np.arange(nodes), outside)
c, d = match(stubs, np.zeros(len(stubs), dtype=int))
u, v = np.concatenate([a, c]), np.concatenate([b, d])
u, v = np.minimum(u, v), np.maximum(u, v)
keys = np.unique((u * nodes + v)[u != v])
edges = np.stack([keys // nodes, keys % nodes], axis=1)
edges = edges[rng.permutation(len(edges))].astype("<u4")

peer = igraph.Graph(nodes, edges.tolist())
out = {"nodes": nodes, "edges": len(edges), "planted_q": peer.modularity(community.tolist())}
with tempfile.NamedTemporaryFile(suffix=".u32") as file:
    edges.tofile(file.name)
    ours, theirs = [], []
    for _ in range(3):
        done = subprocess.run(
            [program, file.name, str(nodes), str(iterations), "1"],
            check=True, capture_output=True, text=True, env=dict(os.environ, RAYON_NUM_THREADS="1"),
        )
        ours.append(json.loads(done.stdout))
        start = time.perf_counter()
        found = peer.community_leiden(objective_function="modularity", n_iterations=iterations)
        theirs.append((time.perf_counter() - start) * 1e3)
out["kohort"] = min(ours, key=lambda run: run["leiden_ms"])
out["kohort"]["louvain_ms"] = min(run["louvain_ms"] for run in ours)
start = time.perf_counter()
louvain = peer.community_multilevel()
out["igraph"] = {
    "version": igraph.__version__,
    "leiden_ms": min(theirs),
    "leiden_q": peer.modularity(found.membership),
    "louvain_ms": (time.perf_counter() - start) * 1e3,
    "louvain_q": peer.modularity(louvain.membership),
}
if "--networkx" in sys.argv:
    import networkx as nx

    graph = nx.Graph()
    graph.add_nodes_from(range(nodes))
    graph.add_edges_from(edges.tolist())
    start = time.perf_counter()
    groups = nx.community.louvain_communities(graph, seed=1)
    out["networkx"] = {
        "version": nx.__version__,
        "louvain_ms": (time.perf_counter() - start) * 1e3,
        "louvain_q": nx.community.modularity(graph, groups),
    }
print(json.dumps(out, indent=1))
