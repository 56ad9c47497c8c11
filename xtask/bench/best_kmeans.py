"""Times scikit-learn's Lloyd iterations and faiss's k-means from the same centres and prints one line of JSON for the faster.

    python best_kmeans.py points.f32 rows dim centres.f32 clusters iterations repeats

Files are raw little-endian f32, row-major. OMP_NUM_THREADS sets the number of threads; the first fit of each is not counted. Both
make all iterations and keep all points. The inertia is that of scikit-learn; faiss's, computed from its last centres, must lie within 1e-4
of it, or the script fails.
"""
import json
import os
import statistics
import sys
import time
import warnings

import faiss
import numpy as np
import sklearn
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

points_path, rows, dim, centres_path, clusters, iterations, repeats = sys.argv[1:]
rows, dim, clusters, iterations, repeats = int(rows), int(dim), int(clusters), int(iterations), int(repeats)
points = np.fromfile(points_path, dtype="<f4").reshape(rows, dim)
centres = np.fromfile(centres_path, dtype="<f4").reshape(clusters, dim)
warnings.simplefilter("ignore", ConvergenceWarning)
faiss.omp_set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


def by_sklearn():
    model = KMeans(clusters, init=centres, n_init=1, max_iter=iterations, tol=0.0, algorithm="lloyd")
    start = time.perf_counter()
    model.fit(points)
    return (time.perf_counter() - start) * 1e3, float(model.inertia_)


def by_faiss():
    model = faiss.Kmeans(dim, clusters, niter=iterations, max_points_per_centroid=rows, min_points_per_centroid=1)
    start = time.perf_counter()
    model.train(points, init_centroids=centres)
    spent = (time.perf_counter() - start) * 1e3
    distances, _ = model.index.search(points, 1)
    return spent, float(distances.astype(np.float64).sum())


found = {}
for name, fit in [(f"scikit-learn {sklearn.__version__}", by_sklearn), (f"faiss {faiss.__version__}", by_faiss)]:
    fit()
    turns = [fit() for _ in range(repeats)]
    found[name] = (statistics.median(ms for ms, _ in turns), turns[-1][1])
(_, ours), (_, theirs) = found.values()
if abs(ours - theirs) > 1e-4 * ours:
    sys.exit(f"inertia: scikit-learn {ours}, faiss {theirs}")
best = min(found, key=lambda name: found[name][0])
print(json.dumps({"peer": best, "ms": found[best][0], "check": ours, "all": {name: ms for name, (ms, _) in found.items()}}))
