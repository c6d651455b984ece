import math

import torch
from torch import nn

WIDTH, HEADS, LAYERS = 384, 6, 6


class Block(nn.Module):
    def __init__(self, cached):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.parts = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.out = nn.Linear(WIDTH, WIDTH)
        self.feed = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))
        self.past = [torch.randn(HEADS, cached, WIDTH // HEADS) for _ in range(2)]

    def forward(self, x, mask):
        seen, count = self.norm1(x), len(x)
        q, k, v = (part(seen).view(count, HEADS, -1).transpose(0, 1) for part in self.parts)
        k, v = (torch.cat([past, new], 1) for past, new in zip(self.past, (k, v)))
        scores = q @ k.transpose(1, 2) / math.sqrt(WIDTH // HEADS) + mask
        x = x + self.out((scores.softmax(-1) @ v).transpose(0, 1).reshape(count, WIDTH))
        return x + self.feed(self.norm2(x))


def infer(count, cached):
    blocks, norm = [Block(cached) for _ in range(LAYERS)], nn.LayerNorm(WIDTH)
    mask = torch.full((count, cached + count), -1e9).triu(cached + 1)
    given = torch.randn(count, WIDTH)

    def call():
        with torch.no_grad():
            x = given
            for block in blocks:
                x = block(x, mask)
            norm(x)

    return call


def decode(cached):
    run, head, x = infer(1, cached), nn.Linear(WIDTH, 256), torch.randn(1, WIDTH)

    def call():
        run()
        with torch.no_grad():
            head(x)

    return call
