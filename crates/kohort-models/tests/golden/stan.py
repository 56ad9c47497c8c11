"""Golden values of STAN's latent stages from PyTorch. Run: python stan.py > stan.json

Written from the paper's formulas (arXiv 2306.12232): self-attention among a user's fields, a softmax mask for each task, the preference, and
the summed squared error against pseudo-labels. Weights are stored [in, out].
"""
import json
import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(3)
n, fields, width = 4, 3, 2
whole = fields * width
params = {f"stage/{part}": torch.randn(width, width) for part in "qkv"}
for task in ("click", "stay"):
    params[f"stage/{task}/mask"] = torch.randn(whole, whole)
    params[f"stage/{task}/preference/w"] = torch.randn(whole, 1)
    params[f"stage/{task}/preference/b"] = torch.randn(1, 1)
for value in params.values():
    value.requires_grad_()
U = torch.randn(n, fields, width)
Q, K, V = (U @ params[f"stage/{part}"] for part in "qkv")
related = (torch.softmax(Q @ K.transpose(1, 2) / width ** 0.5, dim=-1) @ V).reshape(n, whole)
tasks, loss = {}, 0.0
for task in ("click", "stay"):
    stage = related * torch.softmax(related @ params[f"stage/{task}/mask"], dim=-1)
    preference = torch.sigmoid(stage @ params[f"stage/{task}/preference/w"] + params[f"stage/{task}/preference/b"])
    label = torch.rand(n, 1)
    loss = loss + ((label - preference) ** 2).sum()
    tasks[task] = {"stage": stage.tolist(), "preference": preference.tolist(), "label": label.tolist()}
loss.backward()
print(json.dumps({
    "torch": torch.__version__, "fields": [U[:, f].tolist() for f in range(fields)],
    "params": {k: v.tolist() for k, v in params.items()}, "tasks": tasks,
    "grads": {k: v.grad.tolist() for k, v in params.items()},
}, indent=1))
