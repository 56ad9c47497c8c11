"""The MMoE network of the benches in PyTorch, in the three ways a good user might write it, from the other side's weights.

Eight embeddings of 16, eight experts 128-256-128 with ReLU after both layers, a softmax gate and a tower 128-64-1 for each task.
"""

import json
import os

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

WIDTH, EXPERTS = 16, 8
VOCABULARIES = [1_000, 1_000, 5_000, 5_000, 20_000, 20_000, 100_000, 100_000]
FEATURES = len(VOCABULARIES)


class Weights:
    """The initial weights in a folder that one of our examples prepared."""

    def __init__(self, folder, tasks):
        self.all, self.tasks = load_file(os.path.join(folder, "weights.safetensors")), tasks
        # Large tables are not written: they begin by a formula.
        listed = os.path.join(folder, "vocabularies.json")
        self.vocabularies = json.load(open(listed)) if os.path.exists(listed) else VOCABULARIES

    def tables(self):
        if self.vocabularies == VOCABULARIES:
            return [self.all[f"feature{f}"] for f in range(FEATURES)]
        return [self.drawn(ids) for ids in self.vocabularies]

    @staticmethod
    def drawn(ids):
        at = np.arange(ids * WIDTH, dtype=np.uint32) * np.uint32(2654435761)
        return torch.from_numpy((at / 2.0**32 * 0.2 - 0.1).astype(np.float32)).view(ids, WIDTH)

    def filled(self, layer, name):
        """A Linear with the other side's weights, which are stored `[in, out]`."""
        with torch.no_grad():
            layer.weight.copy_(self.all[f"{name}/w"].T)
            layer.bias.copy_(self.all[f"{name}/b"][0])
        return layer


class Batched(nn.Module):
    """Experts' first layers as one product, their second ones as one bmm; an Embedding for each feature."""

    def __init__(self, weights):
        super().__init__()
        inputs, tasks = FEATURES * WIDTH, range(weights.tasks)
        self.gates = nn.ModuleList(weights.filled(nn.Linear(inputs, EXPERTS), f"mmoe/gate/{t}") for t in tasks)
        self.towers = nn.ModuleList(
            nn.Sequential(
                weights.filled(nn.Linear(128, 64), f"tower{t}/hidden/0"),
                nn.ReLU(),
                weights.filled(nn.Linear(64, 1), f"tower{t}/out"),
            )
            for t in tasks
        )
        self.tables = nn.ModuleList(nn.Embedding.from_pretrained(t.clone(), freeze=False) for t in weights.tables())
        self.first = weights.filled(nn.Linear(128, 256 * EXPERTS), "mmoe/experts/0")
        self.w1 = nn.Parameter(weights.all["mmoe/experts/1/w"].reshape(EXPERTS, 256, 128).clone())
        self.b1 = nn.Parameter(weights.all["mmoe/experts/1/b"].reshape(EXPERTS, 1, 128).clone())

    def embed(self, ids):
        return torch.cat([table(ids[:, f]) for f, table in enumerate(self.tables)], dim=1)

    def experts_of(self, x):
        hidden = torch.relu(self.first(x)).view(-1, EXPERTS, 256).transpose(0, 1)
        return torch.relu(torch.baddbmm(self.b1, hidden, self.w1)).transpose(0, 1)

    def logits(self, x, experts):
        mixed = (torch.bmm(torch.softmax(gate(x), dim=1).unsqueeze(1), experts).squeeze(1) for gate in self.gates)
        return [tower(z).squeeze(1) for tower, z in zip(self.towers, mixed)]

    def forward(self, ids):
        """A logit for each task."""
        x = self.embed(ids)
        return self.logits(x, self.experts_of(x))

    def last(self):
        """The experts' second layers, without biases."""
        return [self.w1]

    def of_experts(self):
        return [*self.first.parameters(), self.w1, self.b1]


class Joined(Batched):
    """Likewise, and the tables as one, with offsets."""

    def __init__(self, weights):
        super().__init__(weights)
        self.tables = nn.Embedding.from_pretrained(torch.cat(weights.tables()), freeze=False)
        self.register_buffer("offsets", torch.tensor(np.cumsum([0] + weights.vocabularies[:-1])))

    def embed(self, ids):
        return self.tables(ids + self.offsets).view(len(ids), -1)


class List(Batched):
    """A module for each expert, as libraries write it."""

    def __init__(self, weights):
        super().__init__(weights)
        experts = []
        for e in range(EXPERTS):
            first, second = nn.Linear(128, 256), nn.Linear(256, 128)
            with torch.no_grad():
                first.weight.copy_(self.first.weight[256 * e : 256 * (e + 1)])
                first.bias.copy_(self.first.bias[256 * e : 256 * (e + 1)])
                second.weight.copy_(self.w1[e].T)
                second.bias.copy_(self.b1[e, 0])
            experts.append(nn.Sequential(first, nn.ReLU(), second, nn.ReLU()))
        del self.first, self.w1, self.b1
        self.experts = nn.ModuleList(experts)

    def experts_of(self, x):
        return torch.stack([expert(x) for expert in self.experts], dim=1)

    def last(self):
        return [expert[2].weight for expert in self.experts]

    def of_experts(self):
        return list(self.experts.parameters())


MODELS = {"list": List, "batched": Batched, "joined": Joined}
