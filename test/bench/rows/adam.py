import torch


def update():
    w = torch.nn.Parameter(torch.randn(1024 * 1024))
    w.grad = torch.randn(1024 * 1024)
    return torch.optim.Adam([w]).step
