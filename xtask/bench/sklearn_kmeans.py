"""Times scikit-learn's Lloyd iterations from given centres and prints one line of JSON.

    python sklearn_kmeans.py points.f32 rows dim centres.f32 clusters iterations repeats

Files are raw little-endian f32, row-major. OMP_NUM_THREADS sets the number of threads; the first fit is not counted.
"""
import json
import statistics
import sys
import time
import warnings

import numpy as np
import sklearn
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

points_path, rows, dim, centres_path, clusters, iterations, repeats = sys.argv[1:]
points = np.fromfile(points_path, dtype="<f4").reshape(int(rows), int(dim))
centres = np.fromfile(centres_path, dtype="<f4").reshape(int(clusters), int(dim))
warnings.simplefilter("ignore", ConvergenceWarning)


def fit():
    model = KMeans(int(clusters), init=centres, n_init=1, max_iter=int(iterations), tol=0.0, algorithm="lloyd")
    start = time.perf_counter()
    model.fit(points)
    return model, (time.perf_counter() - start) * 1e3


fit()
times = []
for _ in range(int(repeats)):
    model, spent = fit()
    times.append(spent)
print(json.dumps({"peer": f"scikit-learn {sklearn.__version__}", "ms": statistics.median(times), "check": float(model.inertia_)}))
