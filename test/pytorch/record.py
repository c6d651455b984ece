"""Records what PyTorch computes, for test/pytorch.test.ts: 50 training steps of an MLP and of a CNN with BatchNorm.

    python3 test/pytorch/record.py test/pytorch/recorded.json

Weights and batches come from a small integer generator that both sides run, so that only losses are recorded.
Needs Debian's python3-torch. Layouts are mapped to dlm's: kernels [In, Out] and [height, width, In, Out].
"""
import json
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(1)
STEPS = 50


def numbers(name, count):
    """FNV-1a of the name seeds a 32-bit linear congruential generator; values in [-1, 1) with 16 bits."""
    state = 2166136261
    for c in name.encode():
        state = ((state ^ c) * 16777619) & 0xFFFFFFFF
    out = []
    for _ in range(count):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append((state >> 16) / 32768.0 - 1.0)
    return out


def tensor(name, shape, scale, dtype):
    count = 1
    for s in shape:
        count *= s
    return (torch.tensor(numbers(name, count), dtype=torch.float64) * scale).float().to(dtype).reshape(shape)


def classes(name, count, n):
    return torch.tensor([int((v + 1) * 0.5 * n) % n for v in numbers(name, count)])


class Mlp(nn.Module):
    """32 -> 64 relu -> 48 relu -> 10"""

    def __init__(self, dtype):
        super().__init__()
        for i, (a, b) in enumerate([(32, 64), (64, 48), (48, 10)]):
            kernel = tensor(f"mlp.dense{i}.kernel", [a, b], (3.0 / a) ** 0.5, dtype)
            shift = tensor(f"mlp.dense{i}.shift", [b], 0.1, dtype)
            self.register_parameter(f"k{i}", nn.Parameter(kernel))
            self.register_parameter(f"s{i}", nn.Parameter(shift))

    def forward(self, x):
        x = F.relu(x @ self.k0 + self.s0)
        x = F.relu(x @ self.k1 + self.s1)
        return x @ self.k2 + self.s2


class Cnn(nn.Module):
    """8 x 8 x 3: conv 3x3 12 - BatchNorm - relu - maxpool 2 - conv 3x3 16 stride 2 - BatchNorm - relu - dense 10"""

    def __init__(self, dtype):
        super().__init__()
        self.c0 = nn.Conv2d(3, 12, 3, padding=1, bias=True, dtype=dtype)
        self.n0 = nn.BatchNorm2d(12, dtype=dtype)
        self.c1 = nn.Conv2d(12, 16, 3, stride=2, padding=1, bias=True, dtype=dtype)
        self.n1 = nn.BatchNorm2d(16, dtype=dtype)
        self.d = nn.Linear(2 * 2 * 16, 10, dtype=dtype)
        with torch.no_grad():
            for i, conv in enumerate([self.c0, self.c1]):
                o, c = conv.weight.shape[0], conv.weight.shape[1]
                kernel = tensor(f"cnn.conv{i}.kernel", [3, 3, c, o], (3.0 / (9 * c)) ** 0.5, dtype)
                conv.weight.copy_(kernel.permute(3, 2, 0, 1))
                conv.bias.copy_(tensor(f"cnn.conv{i}.shift", [o], 0.1, dtype))
            # the dense layer reads height, width, channels
            kernel = tensor("cnn.dense0.kernel", [2, 2, 16, 10], (3.0 / 64) ** 0.5, dtype)
            self.d.weight.copy_(kernel.permute(3, 2, 0, 1).reshape(10, 64))
            self.d.bias.copy_(tensor("cnn.dense0.shift", [10], 0.1, dtype))

    def forward(self, x):
        x = x.permute(0, 3, 1, 2)
        x = F.max_pool2d(F.relu(self.n0(self.c0(x))), 2)
        x = F.relu(self.n1(self.c1(x)))
        return self.d(x.reshape(x.shape[0], -1))


BATCH = 16
SHAPES = {"mlp": [BATCH, 32], "cnn": [BATCH, 8, 8, 3]}


def run(model, optimizer, dtype):
    torch.manual_seed(0)
    m = {"mlp": Mlp, "cnn": Cnn}[model](dtype)
    m.train()
    made = {
        "sgd": lambda p: torch.optim.SGD(p, 0.05, momentum=0.9),
        "adam": lambda p: torch.optim.Adam(p, 1e-3),
    }[optimizer](m.parameters())
    losses = []
    for step in range(STEPS):
        x = tensor(f"{model}.x{step % 8}", SHAPES[model], 1.0, dtype)
        y = classes(f"{model}.y{step % 8}", BATCH, 10)
        made.zero_grad()
        loss = F.cross_entropy(m(x), y)
        loss.backward()
        made.step()
        losses.append(loss.item())
    statistics = {}
    if model == "cnn":
        statistics = {"n0.running_mean": m.n0.running_mean.tolist(), "n0.running_var": m.n0.running_var.tolist()}
    return {"losses": losses, "statistics": statistics}


recorded = {"torch": torch.__version__, "steps": STEPS, "batch": BATCH, "runs": {}}
for model in ["mlp", "cnn"]:
    for optimizer in ["sgd", "adam"]:
        recorded["runs"][f"{model}.{optimizer}"] = {
            "f32": run(model, optimizer, torch.float32),
            "f64": run(model, optimizer, torch.float64),
        }
text = json.dumps(recorded, indent=1) + "\n"
if len(sys.argv) > 1:
    with open(sys.argv[1], "w") as f:
        f.write(text)
else:
    sys.stdout.write(text)
