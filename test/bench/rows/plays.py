import math

import torch
from torch import nn
from torch.nn import functional

CHARACTERS, BATCH, WINDOW = 74, 16, 128


def training(made, optimizer):
    text = torch.randint(0, CHARACTERS, (BATCH, WINDOW))
    following = torch.randint(0, CHARACTERS, (BATCH, WINDOW))

    def call():
        optimizer.zero_grad()
        functional.cross_entropy(made(text).flatten(0, 1), following.flatten()).backward()
        nn.utils.clip_grad_norm_(made.parameters(), 1.0)
        optimizer.step()

    return call


class CharLstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(CHARACTERS, 64)
        self.lstm = nn.LSTM(64, 256, num_layers=2, batch_first=True, dropout=0.3)
        self.drop, self.head = nn.Dropout(0.3), nn.Linear(256, CHARACTERS)

    def forward(self, text):
        return self.head(self.drop(self.lstm(self.embed(text))[0]))


def char_lstm():
    made = CharLstm()
    return training(made, torch.optim.Adam(made.parameters(), 4e-3))


WIDTH, HEADS, HIDDEN, LAYERS, DROP = 128, 2, 544, 4, 0.2


class Mixed(nn.Module):
    def __init__(self):
        super().__init__()
        self.part = nn.Parameter(torch.full((WIDTH,), 0.5))

    def forward(self, x):
        before = functional.pad(x, (0, 0, 1, 0))[:, :-1]
        return x + (before - x) * self.part


def turned(x):
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    speed = torch.exp(torch.arange(half) * (-math.log(10_000) / half))
    angle = torch.arange(x.shape[-2])[:, None] * speed
    return torch.cat([a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()], -1)


class Look(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))

    def forward(self, x):
        b, t, _ = x.shape
        q, k, v = (p(x).view(b, t, HEADS, -1).transpose(1, 2) for p in (self.query, self.key, self.value))
        scores = turned(q) @ turned(k).transpose(2, 3) / math.sqrt(WIDTH // HEADS)
        scores = scores.masked_fill(torch.ones(t, t, dtype=torch.bool).triu(1), -1e30)
        return self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(b, t, WIDTH))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        feed = nn.Sequential(nn.Linear(WIDTH, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, WIDTH))
        self.look = nn.Sequential(nn.LayerNorm(WIDTH), Mixed(), Look(), nn.Dropout(DROP))
        self.feed = nn.Sequential(nn.LayerNorm(WIDTH), Mixed(), feed, nn.Dropout(DROP))

    def forward(self, x):
        x = x + self.look(x)
        return x + self.feed(x)


def gpt():
    made = nn.Sequential(
        nn.Embedding(CHARACTERS, WIDTH),
        nn.Dropout(DROP),
        *(Block() for _ in range(LAYERS)),
        nn.LayerNorm(WIDTH),
        nn.Linear(WIDTH, CHARACTERS),
    )
    return training(made, torch.optim.AdamW(made.parameters(), 3e-3, weight_decay=0.1))
