"""Times igraph's Leiden or networkx's Louvain on one graph and prints one line of JSON.

    python graph_communities.py edges.u32 nodes leiden|louvain iterations repeats

The file holds pairs of nodes, raw little-endian u32; repeated edges and loops are dropped before the clock starts. Modularity is the
library's own of the partition it found. Both are single-threaded.
"""
import json
import random
import resource
import statistics
import sys
import time

import numpy as np

path, nodes, method, iterations, repeats = sys.argv[1:]
nodes, iterations, repeats = int(nodes), int(iterations), int(repeats)
pairs = np.fromfile(path, dtype="<u4").reshape(-1, 2)
pairs = np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1)
pairs = np.unique(pairs, axis=0)
times = []
start = time.perf_counter()
if method == "leiden":
    import igraph

    name = f"igraph {igraph.__version__} Leiden"
    graph = igraph.Graph(n=nodes, edges=pairs)
    build = time.perf_counter() - start
    for repeat in range(repeats):
        random.seed(1 + repeat)
        start = time.perf_counter()
        found = graph.community_leiden(objective_function="modularity", n_iterations=iterations, resolution=1.0)
        times.append((time.perf_counter() - start) * 1e3)
    quality, count = graph.modularity(found.membership), len(found)
else:
    import networkx

    name = f"networkx {networkx.__version__} Louvain"
    graph = networkx.Graph()
    graph.add_nodes_from(range(nodes))
    graph.add_edges_from(pairs.tolist())
    build = time.perf_counter() - start
    for repeat in range(repeats):
        start = time.perf_counter()
        found = networkx.community.louvain_communities(graph, seed=1 + repeat)
        times.append((time.perf_counter() - start) * 1e3)
    quality, count = networkx.community.modularity(graph, found), len(found)
print(
    json.dumps(
        {
            "peer": name,
            "ms": statistics.median(times),
            "check": quality,
            "communities": count,
            "build_ms": build * 1e3,
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )
)
