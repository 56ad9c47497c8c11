"""Writes calibration.json beside this file: inputs and what scikit-learn, scipy and plain numpy say about them.

Run: python3 -m venv /tmp/eval-venv && /tmp/eval-venv/bin/pip install numpy scipy scikit-learn
     /tmp/eval-venv/bin/python crates/kohort-eval/tests/golden/calibration.py
The versions used are in the file's "versions".
"""

import json
import pathlib
import sys

import numpy as np
import scipy
import sklearn
from scipy import stats
from sklearn import metrics
from sklearn.calibration import calibration_curve

rng = np.random.default_rng(20260402)


def calibration(n, bins, shift):
    # distinct numbers that float32 holds exactly and that lie on no edge of 10 or 15 bins
    p = rng.choice(np.arange(1, 2**16, 2), n, replace=False) / 2.0**16
    y = (rng.random(n) < np.clip(p + shift, 0, 1)).astype(int)
    observed, predicted = calibration_curve(y, p, n_bins=bins, strategy="uniform")
    counts = np.histogram(p, bins=np.linspace(0, 1, bins + 1))[0]
    counts = counts[counts > 0]
    gaps = np.abs(observed - predicted)
    order = np.argsort(p)
    mass = [(p[part].mean(), y[part].mean(), len(part)) for part in np.array_split(order, bins)]
    base = y.mean()
    return {
        "p": p.tolist(),
        "y": y.tolist(),
        "bins": bins,
        "observed": observed.tolist(),
        "predicted": predicted.tolist(),
        "ece": float((counts / n * gaps).sum()),
        "mce": float(gaps.max()),
        "ece_mass": float(sum(size / n * abs(a - b) for a, b, size in mass)),
        "pcoc": float(p.sum() / y.sum()),
        "ne": float(metrics.log_loss(y, p) / stats.entropy([base, 1 - base])),
    }


def spread(n, scale):
    counts = np.floor(rng.pareto(1.0, n) * scale).astype(int)
    pairs = np.abs(counts[:, None] - counts[None, :]).sum()
    return {
        "counts": counts.tolist(),
        # half of the relative mean absolute difference: another definition of the same number
        "gini": float(pairs / (2.0 * n * counts.sum())),
        "entropy": float(stats.entropy(counts, base=2)),
    }


golden = {
    "versions": {
        "python": sys.version.split()[0],
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
    },
    "calibration": [calibration(60, 10, 0.0), calibration(1500, 15, 0.1), calibration(900, 10, -0.2)],
    "spread": [spread(12, 3.0), spread(300, 2.0)],
}
path = pathlib.Path(__file__).with_name("calibration.json")
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(path, path.stat().st_size, "bytes", golden["versions"])
