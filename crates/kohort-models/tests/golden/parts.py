"""Golden values of personalised parts and fairness terms from PyTorch. Run: python parts.py > parts.json

Written from the formulas: novelty is the expected log2 popularity under a softmax within a user's list, diversity the squared length of the
expected unit vector, both means over lists; fairness terms are between the means of cohorts. Vectors are constants.
"""
import json
import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(8)
F = torch.nn.functional
n, d = 10, 4
logits, vectors = torch.randn(n), torch.randn(n, d)
popularity = -torch.rand(n) * 6
target = (torch.rand(n) > 0.5).double()
user = torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 2, 3])
cohort = torch.tensor([0, 0, 0, 1, 1, 0, 0, 0, 0, 1])
lists = [(user == u).nonzero().flatten() for u in range(4)]
unit = F.normalize(vectors, dim=1)


def mean_of(each):
    return lambda o: torch.stack([each(o[rows], rows) for rows in lists]).mean()


def means(value, of=None):
    of = torch.ones(n, dtype=torch.bool) if of is None else of
    return torch.stack([value[(cohort == c) & of].mean() for c in range(2)])


def fairness(gap, spread):
    def term(o):
        p = torch.sigmoid(o)
        m = {
            "loss": lambda: means(F.binary_cross_entropy_with_logits(o, target, reduction="none")),
            "score": lambda: means(p),
            "opportunity": lambda: means(p, target == 1),
            "calibration": lambda: means(p - target),
        }[gap]()
        return {"variance": lambda: m.var(unbiased=False), "range": lambda: m.max() - m.min(),
                "absolute": lambda: (m ** 2).mean()}[spread]()
    return term


terms = {
    "novelty": mean_of(lambda o, rows: (torch.softmax(o, 0) * popularity[rows]).sum()),
    "diversity": mean_of(lambda o, rows: (torch.softmax(o, 0)[:, None] * unit[rows]).sum(0).square().sum()),
}
for gap in ("loss", "score", "opportunity", "calibration"):
    for spread in ("variance", "range", "absolute"):
        terms[f"{gap}/{spread}"] = fairness(gap, spread)
found = {}
for name, term in terms.items():
    o = logits.clone().requires_grad_()
    value = term(o)
    value.backward()
    found[name] = {"value": value.item(), "slope": o.grad.tolist()}
print(json.dumps({"torch": torch.__version__, "logits": logits.tolist(), "vectors": vectors.tolist(),
                  "popularity": popularity.tolist(), "target": target.tolist(), "user": user.tolist(),
                  "cohort": cohort.tolist(), "found": found}, indent=1))
