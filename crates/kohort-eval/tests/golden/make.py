"""Writes golden.json beside this file: inputs and what scikit-learn and scipy say about them.

Run: python3 -m venv /tmp/eval-venv && /tmp/eval-venv/bin/pip install numpy scipy scikit-learn
     /tmp/eval-venv/bin/python crates/kohort-eval/tests/golden/make.py
The versions used are in the file's "versions".
"""

import json
import pathlib
import sys

import numpy as np
import scipy
import sklearn
from scipy import optimize, stats
from sklearn import metrics

rng = np.random.default_rng(20260401)


def binary(n, bits, share):
    labels = (rng.random(n) < share).astype(int)
    labels[:2] = [0, 1]
    scores = np.clip(0.35 * rng.standard_normal(n) + 0.3 + 0.3 * labels, 0.0, 1.0)
    # multiples of 2^-bits are exact in float32, so both sides see the same numbers and the same ties
    scores = np.round(scores * 2.0**bits) / 2.0**bits
    return {
        "scores": scores.tolist(),
        "labels": labels.tolist(),
        "roc_auc": metrics.roc_auc_score(labels, scores),
        "average_precision": metrics.average_precision_score(labels, scores),
        "log_loss": metrics.log_loss(labels, scores, labels=[0, 1]),
    }


def ndcg(n, k):
    grades = rng.integers(0, 6, n).astype(float)
    scores = rng.permutation(n).astype(float)
    return {
        "grades": grades.tolist(),
        "scores": scores.tolist(),
        "k": k,
        "linear": metrics.ndcg_score([grades], [scores], k=k),
        "exponential": metrics.ndcg_score([2.0**grades - 1], [scores], k=k),
        "binary": metrics.ndcg_score([(grades >= 3).astype(float)], [scores], k=k),
    }


def ndcg_ties(n, k):
    grades = rng.integers(0, 6, n).astype(float)
    scores = rng.integers(0, 4, n).astype(float)
    # scikit-learn averages tied scores (ignore_ties=False), as Ties::Average does
    return {
        "grades": grades.tolist(),
        "scores": scores.tolist(),
        "k": k,
        "linear": metrics.ndcg_score([grades], [scores], k=k),
    }


def profile(n, classes, wrong, never=None):
    truth = rng.integers(0, classes, n)
    predicted = np.where(rng.random(n) < wrong, rng.integers(0, classes, n), truth)
    if never is not None:
        predicted[predicted == never] = (never + 1) % classes
    out = {"truth": truth.tolist(), "predicted": predicted.tolist(), "classes": classes}
    for average in ["macro", "micro"]:
        p, r, f, _ = metrics.precision_recall_fscore_support(
            truth, predicted, average=average, zero_division=0
        )
        out[average] = [p, r, f]
    p, r, f, s = metrics.precision_recall_fscore_support(
        truth, predicted, labels=list(range(classes)), zero_division=0
    )
    out["per_class"] = [p.tolist(), r.tolist(), f.tolist(), s.tolist()]
    out["accuracy"] = metrics.accuracy_score(truth, predicted)
    out["nmi"] = metrics.normalized_mutual_info_score(truth, predicted)
    out["ari"] = metrics.adjusted_rand_score(truth, predicted)
    return out


def assignment(rows, columns):
    cost = rng.standard_normal((rows, columns))
    r, c = optimize.linear_sum_assignment(cost)
    return {"rows": rows, "columns": columns, "cost": cost.ravel().tolist(), "total": float(cost[r, c].sum())}


def paired(n, shift, decimals):
    a = rng.standard_normal(n) + shift
    b = rng.standard_normal(n)
    d = np.round(a - b, decimals)
    out = {"differences": d.tolist()}
    for alternative in ["two-sided", "greater", "less"]:
        t = stats.ttest_rel(d, np.zeros(n), alternative=alternative)
        out["t"] = float(t.statistic)
        out.setdefault("t_p", []).append(float(t.pvalue))
        w = stats.wilcoxon(d, zero_method="wilcox", correction=False, method="asymptotic", alternative=alternative)
        out.setdefault("wilcoxon_normal_p", []).append(float(w.pvalue))
        if len(set(np.abs(d))) == n and not (d == 0).any() and n <= 50:
            w = stats.wilcoxon(d, method="exact", alternative=alternative)
            out.setdefault("wilcoxon_exact_p", []).append(float(w.pvalue))
    out["w_plus"] = float(stats.wilcoxon(d, method="asymptotic", correction=False, alternative="greater").statistic)
    return out


def seeds(values, level):
    low, high = stats.t.interval(level, len(values) - 1, loc=np.mean(values), scale=stats.sem(values))
    return {"values": list(values), "level": level, "low": float(low), "high": float(high)}


golden = {
    "versions": {
        "python": sys.version.split()[0],
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
    },
    "binary": [binary(30, 3, 0.4), binary(500, 7, 0.1), binary(6000, 10, 0.3), binary(4500, 20, 0.5)],
    "ndcg": [ndcg(15, 5), ndcg(40, 10), ndcg(8, 10)],
    "ndcg_ties": [ndcg_ties(20, 5), ndcg_ties(30, 10)],
    "profile": [profile(60, 3, 0.4), profile(400, 8, 0.6), profile(50, 4, 0.3, never=2)],
    "assignment": [assignment(6, 6), assignment(12, 20), assignment(9, 4), assignment(40, 40)],
    "paired": [paired(12, 0.4, 6), paired(40, 0.3, 6), paired(300, 0.1, 6), paired(60, 0.2, 1), paired(2000, 0.1, 2)],
    "seeds": [seeds([0.91, 0.92, 0.915, 0.905, 0.913], 0.95), seeds([1.0, 3.0], 0.9)],
}
path = pathlib.Path(__file__).with_name("golden.json")
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(path, path.stat().st_size, "bytes", golden["versions"])
