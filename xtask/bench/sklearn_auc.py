"""Times scikit-learn's average precision or ROC-AUC and prints one line of JSON.

    python sklearn_auc.py scores.f32 labels.u8 average-precision|roc-auc repeats

Files are raw: little-endian f32 scores, one byte (0 or 1) per label. The first call is not counted.
"""
import json
import statistics
import sys
import time

import numpy as np
import sklearn
from sklearn.metrics import average_precision_score, roc_auc_score

scores_path, labels_path, metric, repeats = sys.argv[1:]
scores = np.fromfile(scores_path, dtype="<f4")
labels = np.fromfile(labels_path, dtype=np.uint8).astype(bool)
score = {"average-precision": average_precision_score, "roc-auc": roc_auc_score}[metric]
value = score(labels, scores)
times = []
for _ in range(int(repeats)):
    start = time.perf_counter()
    score(labels, scores)
    times.append((time.perf_counter() - start) * 1e3)
print(json.dumps({"peer": f"scikit-learn {sklearn.__version__}", "ms": statistics.median(times), "check": float(value)}))
