import torch
from torch.nn import functional


def quiet(run):
    x = torch.randn(1024, 1024)

    def call():
        with torch.no_grad():
            run(x)

    return call


def softmax():
    return quiet(lambda x: x.softmax(-1))


def layer_norm():
    scale, shift = torch.ones(1024), torch.zeros(1024)
    return quiet(lambda x: functional.layer_norm(x, (1024,), scale, shift))


def gelu():
    return quiet(functional.gelu)
