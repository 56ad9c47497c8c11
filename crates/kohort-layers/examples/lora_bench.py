"""PyTorch's usual variants of what lora_bench.rs times. Run: python lora_bench.py [threads]  (torch is the only dependency)

`bmm` gathers each row's factors and multiplies batched; `segments` orders rows by cohort and loops over cohorts, on stacked
factors (autograd makes a zero-filled slice for each) or on one tensor a cohort (`apart`). Adam is fused. Medians in ms.
"""
import json
import statistics
import sys
import time

import torch
import torch.nn.functional as F

ROWS, WIDTH, COHORTS, RANK, SCALE, ROUNDS = 4096, 256, 64, 8, 2.0, 30
torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
torch.manual_seed(0)

base = [torch.nn.Linear(WIDTH, 256), torch.nn.Linear(256, 128)]
for layer in base:
    layer.requires_grad_(False)
head = torch.nn.Linear(128, 1)
stacked = [
    (torch.randn(COHORTS, layer.in_features, RANK).div_(16).requires_grad_(), torch.zeros(COHORTS, RANK, layer.out_features).requires_grad_())
    for layer in base
]
apart = [
    [(a[c].detach().clone().requires_grad_(), b[c].detach().clone().requires_grad_()) for c in range(COHORTS)] for a, b in stacked
]


def bmm(x, c):
    for layer, (a, b) in zip(base, stacked):
        t = torch.bmm(x.unsqueeze(1), a[c])
        x = F.relu(layer(x) + SCALE * torch.bmm(t, b[c]).squeeze(1))
    return head(x).squeeze(1)


def segments(factors):
    def forward(x, c):
        order = torch.argsort(c, stable=True)
        counts = torch.bincount(c, minlength=COHORTS).tolist()
        x = x[order]
        for l, layer in enumerate(base):
            parts = [p @ factors(l, i)[0] @ factors(l, i)[1] for i, p in enumerate(x.split(counts))]
            x = F.relu(layer(x) + SCALE * torch.cat(parts))
        out = torch.empty(len(x))
        out[order] = head(x).squeeze(1)
        return out

    return forward


variants = {
    "bmm": (bmm, [p for pair in stacked for p in pair]),
    "segments": (segments(lambda l, i: (stacked[l][0][i], stacked[l][1][i])), [p for pair in stacked for p in pair]),
    "apart": (segments(lambda l, i: apart[l][i]), [p for layer in apart for pair in layer for p in pair]),
}
batches = [(torch.rand(ROWS, WIDTH) * 2 - 1, torch.randint(COHORTS, (ROWS,)), (torch.rand(ROWS) < 0.2).float()) for _ in range(8)]


def median(step):
    times = []
    for i in range(ROUNDS + 5):
        start = time.perf_counter()
        step(*batches[i % 8])
        if i >= 5:
            times.append((time.perf_counter() - start) * 1e3)
    return round(statistics.median(times), 2)


result = {"torch": torch.__version__}
for name, (forward, params) in variants.items():
    optimizer = torch.optim.Adam(params + list(head.parameters()), lr=1e-3, fused=True)

    def train(x, c, y):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(forward(x, c), y).backward()
        optimizer.step()

    @torch.inference_mode()
    def score(x, c, _):
        return forward(x, c)

    result[name] = {"train_ms": median(train), "score_ms": median(score)}
with torch.inference_mode():
    result["base_ms"] = median(lambda x, c, y: head(F.relu(base[1](F.relu(base[0](x))))))
print(json.dumps(result))
