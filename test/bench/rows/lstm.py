import torch


def infer(batch):
    made, x = torch.nn.LSTM(256, 256, batch_first=True), torch.randn(batch, 128, 256)

    def call():
        with torch.no_grad():
            made(x)

    return call
