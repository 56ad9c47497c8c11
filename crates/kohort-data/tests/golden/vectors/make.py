"""Small files of vectors in every form that kohort-data reads, for tests/it/vectors.rs. Run here: python make.py

Made with Python 3, numpy 2.4.6, safetensors 0.8.0 and pyarrow 26.0.1. Row i (of 5), column j (of 3) is 0.25 * (3 i + j) - 1,
which all float types hold exactly; the names are those of NAMES.
"""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import save_file

NAMES = ["B00A", "B00B", "B00C", "münchen", "B00 E"]
matrix = 0.25 * np.arange(15).reshape(5, 3) - 1

with open("names.txt", "w", encoding="utf-8") as file:
    file.write("\n".join(NAMES) + "\n")

np.save("f4.npy", matrix.astype("<f4"))
np.save("f2.npy", matrix.astype("<f2"))
np.save("f8-fortran.npy", np.asfortranarray(matrix))
np.save("f4-big.npy", matrix.astype(">f4"))
for version in [(2, 0), (3, 0)]:
    with open(f"f8-v{version[0]}.npy", "wb") as file:
        np.lib.format.write_array(file, matrix, version=version)
np.save("i8.npy", np.arange(15).reshape(5, 3))
np.save("flat.npy", matrix.astype("<f4").ravel())
np.save("objects.npy", np.array([["a", None]], dtype=object), allow_pickle=True)

tensors = {f"f{bits}": matrix.astype(f"f{bits // 8}") for bits in (16, 32, 64)}
save_file(
    tensors | {"flat": matrix.ravel(), "whole": np.arange(15).reshape(5, 3)},
    "all.safetensors",
    metadata={"ids": json.dumps(NAMES), "made": "by hand", "four": json.dumps(NAMES[:4])},
)

ids = pa.array(NAMES)
lists = {
    "list": pa.list_(pa.float32()),
    "fixed": pa.list_(pa.float64(), 3),
    "half": pa.list_(pa.float16()),
}
for name, kind in lists.items():
    rows = pa.array([list(map(np.float16, row)) for row in matrix], kind) if name == "half" else pa.array(matrix.tolist(), kind)
    pq.write_table(pa.table({"asin": ids, "vector": rows}), f"{name}.parquet", row_group_size=2)
columns = {f"x{j}": pa.array(matrix[:, j], [pa.float32(), pa.float64(), pa.float32()][j]) for j in range(3)}
pq.write_table(pa.table({"x0": columns["x0"], "asin": ids, "x1": columns["x1"], "x2": columns["x2"]}), "columns.parquet", compression="gzip")
pq.write_table(pa.table({"number": pa.array(range(7, 12)), "vector": pa.array(matrix.tolist())}), "numbered.parquet", compression="none")

# Broken ones.
def broken(name, rows, names=NAMES):
    pq.write_table(pa.table({"asin": pa.array(names), "vector": pa.array(rows, pa.list_(pa.float64()))}), f"broken-{name}.parquet")


broken("ragged", [[1, 2], [3, 4], [5], [6, 7], [8, 9]])
broken("nan", [[1, 2], [3, 4], [5, float("nan")], [6, 7], [8, 9]])
broken("null", [[1, 2], [3, None], [5, 6], [6, 7], [8, 9]])
broken("no-list", [[1, 2], None, [5, 6], [6, 7], [8, 9]])
broken("empty-list", [[1, 2], [], [5, 6], [6, 7], [8, 9]])
broken("repeated", [[1.0]] * 5, ["a", "b", "c", "b", "e"])
broken("no-name", [[1.0]] * 5, ["a", None, "c", "b", "e"])
broken("no-rows", [], pa.array([], pa.string()))
pq.write_table(pa.table({"asin": ids, "vector": NAMES}), "broken-text.parquet")
pq.write_table(pa.table({"asin": ids, "vector": pa.array(matrix.tolist())}), "zstd.parquet", compression="zstd")
