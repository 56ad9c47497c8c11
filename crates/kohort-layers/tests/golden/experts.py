"""Golden values for kohort-layers' mixtures of experts from PyTorch, in float64.

Run: python experts.py > experts.json  (PyTorch is the only dependency)

MMoE (3 experts 4-5-2, 2 tasks, gates without bias) and PLE with 2 levels (2 own experts for each of 2 tasks, 1 shared), whose first level
alone is CGC: written plainly, one module for each expert. The loss is a fixed projection of the tasks' outputs. Parameters carry our
names and layout: weights [in, out], experts side by side in the first layer and one under the other in the next.
"""
import json
import torch

torch.set_default_dtype(torch.float64)
IN, H, OUT, ROWS = 4, 5, 2, 6


def draw(*shape):
    return (torch.randn(*shape) * 0.7).requires_grad_()


class Expert:
    def __init__(self, inputs):
        self.w = [draw(inputs, H), draw(H, OUT)]
        self.b = [draw(H), draw(OUT)]

    def __call__(self, x):
        for w, b in zip(self.w, self.b):
            x = torch.relu(x @ w + b)
        return x


def bank(name, experts, of=lambda t: t):
    """Our two parameters for each layer."""
    first = {f"{name}/0/w": torch.cat([of(e.w[0]) for e in experts], 1), f"{name}/0/b": torch.cat([of(e.b[0]) for e in experts])[None]}
    return first | {f"{name}/1/w": torch.cat([of(e.w[1]) for e in experts], 0), f"{name}/1/b": torch.cat([of(e.b[1]) for e in experts])[None]}


def mix(gate, x, outputs):
    weights = torch.softmax(x @ gate, 1)
    return sum(weights[:, i : i + 1] * h for i, h in enumerate(outputs)), weights


def case(x, banks, gates, forward):
    tasks, weights = forward()
    project = [torch.randn(ROWS, OUT) for _ in tasks]
    sum((t * p).sum() for t, p in zip(tasks, project)).backward()
    grad = lambda t: t.grad
    named = lambda of: {k: v.tolist() for name, e in banks.items() for k, v in bank(name, e, of).items()} | {
        f"{k}/w": of(g).tolist() for k, g in gates.items()}
    return {"x": x.tolist(), "params": named(lambda t: t.detach()), "tasks": [t.tolist() for t in tasks], "gates": [w.tolist() for w in weights],
            "project": [p.tolist() for p in project], "grads": named(grad) | {"x": x.grad.tolist()}}


def mmoe():
    x, experts = draw(ROWS, IN), [Expert(IN) for _ in range(3)]
    gates = {f"m/gate/{k}": draw(IN, 3) for k in range(2)}

    def forward():
        h = [e(x) for e in experts]
        return zip(*[mix(g, x, h) for g in gates.values()])

    return case(x, {"m/experts": experts}, gates, forward)


def ple(levels):
    x, own = draw(ROWS, IN), 2
    banks, gates = {}, {}
    for j in range(levels):
        width = IN if j == 0 else OUT
        each = [[Expert(width) for _ in range(own)] for _ in range(2)] + [[Expert(width)]]
        if j == 0:
            banks["m/0/experts"] = sum(each, [])
        else:
            banks |= {f"m/{j}/experts/{k}": e for k, e in zip(["0", "1", "shared"], each)}
        gates |= {f"m/{j}/gate/{k}": draw(width, own + 1) for k in range(2)}
        if j + 1 < levels:
            gates[f"m/{j}/gate/shared"] = draw(width, 2 * own + 1)

    def forward():
        inputs, weights = [x, x, x], []
        for j in range(levels):
            if j == 0:
                e = banks["m/0/experts"]
                each = [e[0:2], e[2:4], e[4:5]]
            else:
                each = [banks[f"m/{j}/experts/{k}"] for k in ["0", "1", "shared"]]
            h = [[e(z) for e in group] for group, z in zip(each, inputs)]
            after = []
            for k in range(2):
                z, w = mix(gates[f"m/{j}/gate/{k}"], inputs[k], h[k] + h[2])
                after.append(z)
                weights.append(w)
            if j + 1 < levels:
                z, w = mix(gates[f"m/{j}/gate/shared"], inputs[2], h[0] + h[1] + h[2])
                after.append(z)
                weights.append(w)
            inputs = after
        return inputs, weights

    return case(x, banks, gates, forward)


torch.manual_seed(1)
print(json.dumps({"torch": torch.__version__, "mmoe": mmoe(), "cgc": ple(1), "ple": ple(2)}))
