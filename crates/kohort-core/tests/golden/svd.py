"""Singular values and right singular vectors of a sparse matrix, for tests/it/svd.rs.

    python svd.py > svd.json

Made with Python 3, numpy, scipy and scikit-learn of the versions written into the file. A matrix as recommenders have
them: 200 users by 120 items, binary, items of unequal popularity, three groups of users with tastes of their own.
"""

import json
import sys

import numpy as np
import scipy
import scipy.sparse
import scipy.sparse.linalg
import sklearn
from sklearn.utils.extmath import randomized_svd

ROWS, COLS, RANK = 200, 120, 10

rng = np.random.default_rng(7)
popularity = 1 / (1 + np.arange(COLS)) ** 0.7
taste = rng.gamma(0.5, 1.0, (3, COLS))
weight = popularity * taste[np.arange(ROWS) % 3]
picked = rng.random((ROWS, COLS)) < np.minimum(0.9, 12 * weight / weight.sum(1, keepdims=True))
matrix = scipy.sparse.csr_matrix(picked.astype(float))

_, values, right = scipy.sparse.linalg.svds(matrix, RANK, tol=1e-12)
values, right = values[::-1], right[::-1]
_, sketched, _ = randomized_svd(matrix, RANK, n_oversamples=32, n_iter=4, random_state=0)
row, col = matrix.nonzero()
json.dump(
    {
        "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "sklearn": sklearn.__version__},
        "rows": ROWS,
        "cols": COLS,
        "row": row.tolist(),
        "col": col.tolist(),
        "values": values.tolist(),
        "randomized_values": sketched.tolist(),
        "right": [[float(f"{x:.9f}") for x in vector] for vector in right],
    },
    sys.stdout,
)
print()
