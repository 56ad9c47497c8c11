"""Golden values for KMeans and silhouettes. Run: python kmeans.py > kmeans.json

Points are multiples of 1/64, so that they are the same numbers in f32, f64 and JSON. The peer runs in f64 and in f32.
"""
import json
import warnings

import numpy as np
import sklearn
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_samples, silhouette_score

rng = np.random.default_rng(20)


def grid(x):
    return np.round(x * 64) / 64


def case(name, points, centres, iterations, weights=None, tol=0.0):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = KMeans(len(centres), init=centres, n_init=1, max_iter=iterations, tol=tol, algorithm="lloyd").fit(
            points, sample_weight=weights
        )
    labels = fit.labels_
    out = {
        "name": name,
        "dim": points.shape[1],
        "points": points.ravel().tolist(),
        "weights": None if weights is None else weights.tolist(),
        "initial": centres.ravel().tolist(),
        "max_iterations": iterations,
        "tolerance": tol,
        "labels": labels.tolist(),
        "centres": fit.cluster_centers_.ravel().tolist(),
        "inertia": float(fit.inertia_),
        "iterations": int(fit.n_iter_),
        "silhouette": float(silhouette_score(points, labels)),
    }
    each = silhouette_samples(points, labels)
    out["silhouette_per_cluster"] = [float(each[labels == j].mean()) for j in range(len(centres))]
    return out


def blobs(rows, dim, k, spread, offset=0.0):
    middles = rng.normal(scale=4.0, size=(k, dim))
    return grid(middles[rng.integers(k, size=rows)] + rng.normal(scale=spread, size=(rows, dim)) + offset)


cases = []
points = blobs(300, 3, 4, 1.0)
cases.append(case("four blobs to the end", points, points[:4], 100))
points = blobs(400, 5, 6, 3.0)
cases.append(case("overlapping blobs, stopped after 3", points, points[10:17], 3))
cases.append(case("overlapping blobs, stopped by tolerance", points, points[10:17], 100, tol=1e-2))
points = blobs(250, 2, 5, 1.0, offset=3000.0)
cases.append(case("far from the origin", points, points[:5], 100))
points = blobs(200, 4, 3, 2.0)
cases.append(case("weighted", points, points[:3], 100, weights=rng.integers(0, 8, size=200) / 4))
points = blobs(150, 2, 3, 1.0)
# Two of the given centres are nearest to no point: they are moved to the two farthest points.
far = np.vstack([points[:3], [[500.0, 500.0], [-700.0, 300.0]]])
cases.append(case("two empty clusters", points, far, 100))
# One cluster of one point: its silhouette is 0.
points = np.vstack([blobs(40, 2, 2, 0.5), [[90.0, 90.0]]])
cases.append(case("a lone point", points, points[[0, 1, 40]], 100))

print(json.dumps({"versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__}, "cases": cases}))
