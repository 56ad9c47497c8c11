"""Fits Surprise's SVD or SVD++ with its defaults and prints one line of JSON.

    python surprise_svd.py train.tsv test.tsv svd|svdpp|svdpp-cached repeats seed

Both files have lines user<TAB>item<TAB>rating. Only the fit is timed, as on the other side.
"""
import json
import statistics
import sys
import time

import surprise

train_path, test_path, system, repeats, seed = sys.argv[1:]
reader = surprise.Reader(line_format="user item rating", sep="\t", rating_scale=(1, 5))
train = surprise.Dataset.load_from_file(train_path, reader).build_full_trainset()
with open(test_path) as file:
    test = [(user, item, float(rating)) for user, item, rating in (line.rstrip("\n").split("\t") for line in file)]
make = {
    "svd": lambda seed: surprise.SVD(random_state=seed),
    "svdpp": lambda seed: surprise.SVDpp(random_state=seed),
    "svdpp-cached": lambda seed: surprise.SVDpp(random_state=seed, cache_ratings=True),
}[system]
times = []
first = None
for repeat in range(int(repeats)):
    model = make(int(seed) + repeat)
    start = time.perf_counter()
    model.fit(train)
    times.append((time.perf_counter() - start) * 1e3)
    first = first or model
rmse = surprise.accuracy.rmse(first.test(test), verbose=False)
print(json.dumps({"peer": f"Surprise {surprise.__version__}", "ms": statistics.median(times), "check": rmse}))
