"""Golden values for adapters from PyTorch 2.15, float64. Run: python lora.py > lora.json  (torch is the only dependency)

LoRA for two cohorts in one batch (torch computes each row with its own cohort's factors), the same with one A (HydraLoRA with
hard routing), and iLoRA: K = 2 adapters, softmax gate without bias, scale alpha/(r/K) as in AkaliKong/iLoRA. Values and
gradients of sum(y * p) for a fixed p. Weights are stored [in, out], as Kohort's are.
"""
import json
import torch

torch.set_default_dtype(torch.float64)
COHORTS = [1, 1, 0, 0, 0, 1]


def leaves(**shapes):
    return {name: (0.5 * torch.randn(*shape)).requires_grad_() for name, shape in shapes.items()}


def result(y, project, params):
    (y * project).sum().backward()
    return {
        "y": y.tolist(),
        "params": {name: p.tolist() for name, p in params.items()},
        "grads": {name: p.grad.tolist() for name, p in params.items()},
    }


def cohorts(shared):
    p = leaves(x=(6, 5), w=(5, 4), b=(1, 4), **({"a": (5, 2)} if shared else {"a0": (5, 2), "a1": (5, 2)}), b0=(2, 4), b1=(2, 4))
    rows = []
    for n, c in enumerate(COHORTS):
        delta = 1.5 * (p["a"] if shared else p[f"a{c}"]) @ p[f"b{c}"]
        rows.append(torch.relu(p["x"][n] @ (p["w"] + delta) + p["b"][0]))
    return torch.stack(rows), p


def ilora():
    p = leaves(x=(6, 5), z=(6, 3), w=(5, 4), b=(1, 4), gate=(3, 2), a=(5, 4), bb=(4, 4))
    omega = torch.softmax(p["z"] @ p["gate"], dim=-1)
    low = sum(omega[:, k : k + 1] * (p["x"] @ p["a"][:, 2 * k : 2 * k + 2] @ p["bb"][2 * k : 2 * k + 2]) for k in range(2))
    return torch.relu(p["x"] @ p["w"] + p["b"] + 6.0 / (4 // 2) * low), p


torch.manual_seed(7)
project = torch.rand(6, 4) + 0.5
out = {"torch": torch.__version__, "project": project.tolist()}
for name, (y, params) in {"lora": cohorts(False), "hydra": cohorts(True), "ilora": ilora()}.items():
    out[name] = result(y, project, params)
print(json.dumps(out))
