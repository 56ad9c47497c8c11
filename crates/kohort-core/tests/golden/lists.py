"""Golden values of losses within lists and of the focal loss, from PyTorch. Run: python lists.py > lists.json

Written from the papers' formulas with autograd for the slopes; LambdaRank's weights are constants (detached), as in the
LambdaRank trick.
"""
import json
import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(5)
F = torch.nn.functional

scores = torch.randn(9) * 1.5
target = torch.tensor([0.0, 1.0, 0.0, 2.0, 1.0, 0.0, 3.0, 0.0, 1.0])
lists = [[0, 1, 2, 3], [8, 4, 5, 6, 7]]
weight = [0.7, 1.3]


def share(t):
    return t / t.sum()


def list_mle(s, t):
    total = 0.0
    for i in range(len(s)):
        keep = [i] + [j for j in range(len(s)) if t[j] < t[i]]
        total = total - torch.log_softmax(s[keep], 0)[0]
    return total


def pairs(s, t, loss):
    found = [(i, j) for i in range(len(s)) for j in range(len(s)) if t[i] > t[j]]
    return torch.stack([loss(s[i] - s[j]) for i, j in found]).mean()


def lambda_rank(s, t):
    order = torch.argsort(s.detach(), descending=True, stable=True)
    place = torch.empty_like(order)
    place[order] = torch.arange(len(s))
    worth = 1 / torch.log2(place + 2.0)
    gain = 2 ** t - 1
    ideal = (torch.sort(gain, descending=True).values / torch.log2(torch.arange(len(s)) + 2.0)).sum()
    total = 0.0
    for i in range(len(s)):
        for j in range(len(s)):
            if t[i] > t[j]:
                delta = (gain[i] - gain[j]).abs() * (worth[i] - worth[j]).abs() / ideal
                total = total + delta * F.softplus(s[j] - s[i])
    return total


kinds = {
    "softmax": lambda s, t: -(share(t) * torch.log_softmax(s, 0)).sum(),
    "sigmoid": lambda s, t: -(share(t) * torch.log(torch.sigmoid(s) / torch.sigmoid(s).sum())).sum(),
    "list-mle": list_mle,
    "bpr": lambda s, t: pairs(s, t, lambda d: -F.logsigmoid(d)),
    "hinge": lambda s, t: pairs(s, t, lambda d: torch.relu(1 - d)),
    "lambda": lambda_rank,
}
found = {}
for name, kind in kinds.items():
    s = scores.clone().requires_grad_()
    loss = 0.4 * sum(w * kind(s[rows], target[rows]) for rows, w in zip(lists, weight))
    loss.backward()
    found[name] = {"loss": loss.item(), "slope": s.grad.tolist()}

s = scores.clone().requires_grad_()
y = (target > 0).double()
p = torch.sigmoid(s)
p_t = p * y + (1 - p) * (1 - y)
alpha = 0.25 * y + 0.75 * (1 - y)
focal = (alpha * (1 - p_t) ** 2 * F.binary_cross_entropy_with_logits(s, y, reduction="none")).sum() * 0.4
focal.backward()
found["focal"] = {"loss": focal.item(), "slope": s.grad.tolist()}
print(json.dumps({"torch": torch.__version__, "scores": scores.tolist(), "target": target.tolist(),
                  "lists": lists, "weight": weight, "binary": y.tolist(), "found": found}, indent=1))
