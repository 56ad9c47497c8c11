"""scikit-learn beside the example kmeans_bench, on the same data, one process each, taking turns.

    python kmeans_bench.py path/to/kmeans_bench [rows dim clusters iterations repeats rounds]

Needs numpy and scikit-learn. Prints one line of JSON: median milliseconds of both, their ratio, both inertias.
"""
import json, os, statistics, subprocess, sys, tempfile, time

os.environ.pop("OPENBLAS_CORETYPE", None)  # it may halve the peer's speed
import numpy as np
from sklearn.cluster import KMeans

binary = sys.argv[1]
rows, dim, k, iterations, repeats, rounds = (list(map(int, sys.argv[2:])) + [200_000, 32, 64, 20, 3, 5][len(sys.argv) - 2:])[:6]
rng = np.random.default_rng(0)
middles = rng.normal(size=(k, dim)).astype(np.float32)
points = (middles[rng.integers(k, size=rows)] + rng.normal(size=(rows, dim))).astype(np.float32)
centres = points[rng.choice(rows, k, replace=False)]
ours, theirs = [], []
with tempfile.TemporaryDirectory() as folder:
    points.tofile(f"{folder}/points.f32")
    centres.tofile(f"{folder}/centres.f32")
    command = [binary, f"{folder}/points.f32", rows, dim, f"{folder}/centres.f32", k, iterations, repeats]
    for _ in range(rounds):
        out = json.loads(subprocess.check_output(list(map(str, command))))
        ours.append(out["median_ms"])
        for _ in range(repeats):
            model = KMeans(k, init=centres, n_init=1, max_iter=iterations, tol=0.0, algorithm="lloyd")
            start = time.perf_counter()
            model.fit(points)
            theirs.append((time.perf_counter() - start) * 1e3)
a, b = statistics.median(ours), statistics.median(theirs)
print(json.dumps({"ours_ms": round(a, 1), "sklearn_ms": round(b, 1), "ratio": round(b / a, 2), "threads": out["threads"],
                  "inertia": out["inertia"], "sklearn_inertia": float(model.inertia_),
                  "relative_difference": abs(out["inertia"] / model.inertia_ - 1), "iterations": [out["iterations"], int(model.n_iter_)],
                  "ours_spread": [min(ours), max(ours)], "sklearn_spread": [round(min(theirs), 1), round(max(theirs), 1)]}))
