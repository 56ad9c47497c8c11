"""Golden values for the sequence encoder from PyTorch. Run: python sequence.py > sequence.json  (torch is the only dependency)

Attention: torch's scaled_dot_product_attention, one sequence at a time, causal and full, two heads. Encoder: two SASRec blocks over
lists of 5, 0, 1 and 3 items from torch's layer_norm, scaled_dot_product_attention and matrix products, normalisation before all of
query, key and value. Both forward and backward, in float64; outputs are reduced by a fixed random projection.
"""
import json
import math
import torch

torch.set_default_dtype(torch.float64)
F = torch.nn.functional


def attend(q, k, v, offsets, heads, causal):
    """q, k, v [entries, d]; each sequence alone, heads as a batch dimension."""
    parts = []
    for start, end in zip(offsets, offsets[1:]):
        if end > start:
            split = [x[start:end].reshape(end - start, heads, -1).transpose(0, 1) for x in (q, k, v)]
            y = F.scaled_dot_product_attention(*split, is_causal=causal)
            parts.append(y.transpose(0, 1).reshape(end - start, -1))
    return torch.cat(parts)


def record(leaves, out):
    projection = torch.rand(out.shape) + 0.5
    (out * projection).sum().backward()
    return {
        "leaves": {name: leaf.tolist() for name, leaf in leaves.items()},
        "grads": {name: leaf.grad.tolist() for name, leaf in leaves.items()},
        "projection": projection.tolist(),
        "out": out.tolist(),
    }


def attention(causal):
    torch.manual_seed(1)
    offsets, heads = [0, 4, 4, 5, 11], 2
    leaves = {name: torch.randn(11, 6, requires_grad=True) for name in ("q", "k", "v")}
    out = attend(leaves["q"], leaves["k"], leaves["v"], offsets, heads, causal)
    return {"offsets": offsets, "heads": heads, **record(leaves, out)}


def encoder():
    torch.manual_seed(2)
    d, heads, blocks, most, count = 6, 3, 2, 5, 7
    items, offsets = [3, 1, 4, 1, 5, 2, 6, 0, 3], [0, 5, 5, 6, 9]
    leaves = {"items": torch.randn(count, d), "positions": torch.randn(most, d)}
    for b in range(blocks):
        for norm in ("attention", "points"):
            leaves[f"{b}/{norm}/gain"], leaves[f"{b}/{norm}/shift"] = torch.rand(1, d) + 0.5, torch.randn(1, d)
        for part in ("query", "key", "value"):
            leaves[f"{b}/{part}"] = torch.randn(d, d) / 2
        for part in ("inner", "outer"):
            leaves[f"{b}/{part}/w"], leaves[f"{b}/{part}/b"] = torch.randn(d, d) / 2, torch.randn(1, d)
    leaves["norm/gain"], leaves["norm/shift"] = torch.rand(1, d) + 0.5, torch.randn(1, d)
    for leaf in leaves.values():
        leaf.requires_grad_()

    def norm(x, name):
        return F.layer_norm(x, (d,), leaves[f"{name}/gain"][0], leaves[f"{name}/shift"][0], 1e-8)

    places = [end - 1 - row for start, end in zip(offsets, offsets[1:]) for row in range(start, end)]
    x = math.sqrt(d) * leaves["items"][items] + leaves["positions"][places]
    for b in range(blocks):
        n = norm(x, f"{b}/attention")
        q, k, v = (n @ leaves[f"{b}/{part}"] for part in ("query", "key", "value"))
        x = x + attend(q, k, v, offsets, heads, True)
        n = norm(x, f"{b}/points")
        hidden = torch.relu(n @ leaves[f"{b}/inner/w"] + leaves[f"{b}/inner/b"])
        x = x + hidden @ leaves[f"{b}/outer/w"] + leaves[f"{b}/outer/b"]
    out = norm(x, "norm")
    return {
        "width": d, "heads": heads, "blocks": blocks, "most": most, "count": count,
        "items": items, "offsets": offsets, **record(leaves, out),
    }


golden = {
    "torch": torch.__version__,
    "causal": attention(True),
    "full": attention(False),
    "encoder": encoder(),
}
print(json.dumps(golden))
