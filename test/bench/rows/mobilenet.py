import torch
from torch import nn


def infer():
    layers, before = [nn.Conv2d(3, 32, 3, 2, 1), nn.ReLU()], 32
    blocks = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    for channels, stride in blocks:
        layers += [nn.Conv2d(before, before, 3, stride, 1, groups=before), nn.ReLU()]
        layers += [nn.Conv2d(before, channels, 1), nn.ReLU()]
        before = channels
    made = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1024, 1000))
    x = torch.randn(1, 3, 224, 224)

    def call():
        with torch.no_grad():
            made(x)

    return call
