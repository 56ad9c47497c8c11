"""Golden values for kohort-core from PyTorch. Run: python make.py > golden.json  (torch is the only dependency)

Optimisers: ten steps on a fixed sequence of gradients. Ops: forward values and gradients of a small net with
layer norm, a gate mix, and the four losses, in float64.
"""
import json
import torch

torch.set_default_dtype(torch.float64)


def optimiser(make):
    p = torch.tensor([0.5, -1.0, 2.0, 0.0], requires_grad=True)
    opt = make([p])
    path = []
    for t in range(10):
        p.grad = torch.tensor([1.0, -0.5, 0.25 * t, (-1.0) ** t])
        opt.step()
        path.append(p.tolist())
    return path


def sparse_adam():
    table = torch.nn.Embedding(3, 2, sparse=True)
    with torch.no_grad():
        table.weight.copy_(torch.tensor([[0.5, -1.0], [2.0, 0.25], [1.0, 1.0]]))
    opt = torch.optim.SparseAdam(list(table.parameters()), lr=0.1, eps=1e-30)  # its eps sits before the bias correction
    for rows in ([0, 1], [1], [1, 1], [2], [0]):
        opt.zero_grad()
        (table(torch.tensor(rows)) ** 2).sum().backward()
        opt.step()
    return table.weight.tolist()


def net():
    torch.manual_seed(0)
    x = torch.randn(5, 4)
    leaves = {
        "w1": torch.randn(4, 6), "b1": torch.randn(1, 6), "gain": torch.rand(1, 6) + 0.5, "shift": torch.randn(1, 6),
        "e1": torch.randn(6, 3), "e2": torch.randn(6, 3), "gate": torch.randn(6, 2), "head": torch.randn(3, 3),
    }
    for leaf in leaves.values():
        leaf.requires_grad_()
    h = torch.tanh(x @ leaves["w1"] + leaves["b1"])
    h = torch.nn.functional.layer_norm(h, (6,), leaves["gain"][0], leaves["shift"][0], 1e-5)
    g = torch.softmax(h @ leaves["gate"], dim=1)
    mixed = g[:, :1] * torch.relu(h @ leaves["e1"]) + g[:, 1:] * torch.sigmoid(h @ leaves["e2"])
    out = mixed @ leaves["head"]
    target, weight, classes = torch.randn(5, 3), torch.rand(5), torch.tensor([2, 0, 1, 1, 0])
    binary = (target > 0).double()
    F = torch.nn.functional
    losses = {
        "squared": (F.mse_loss(out, target, reduction="none") * weight[:, None]).sum() / 5,
        "absolute": (F.l1_loss(out, target, reduction="none") * weight[:, None]).sum() / 5,
        "logistic": (F.binary_cross_entropy_with_logits(out, binary, reduction="none") * weight[:, None]).sum() / 5,
        "cross_entropy": (F.cross_entropy(out, classes, reduction="none") * weight).sum() / 5,
    }
    sum(losses.values()).backward()
    return {
        "x": x.tolist(), "target": target.tolist(), "binary": binary.tolist(), "weight": weight.tolist(),
        "classes": classes.tolist(), "out": out.tolist(), "losses": {k: v.item() for k, v in losses.items()},
        "leaves": {k: v.tolist() for k, v in leaves.items()}, "grads": {k: v.grad.tolist() for k, v in leaves.items()},
    }


golden = {
    "torch": torch.__version__,
    "optimisers": {
        "sgd": optimiser(lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.01)),
        "sgd-momentum": optimiser(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01)),
        "adam": optimiser(lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.01)),
        "adamw": optimiser(lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.01)),
        "adagrad": optimiser(lambda p: torch.optim.Adagrad(p, lr=0.1, weight_decay=0.01)),
    },
    "sparse_adam": sparse_adam(),
    "net": net(),
}
print(json.dumps(golden, indent=1))
