dlm 1

/// Elman: Finding structure in time (1990). h = act(kernel [x, h] + shift) from the first step to the last, with h = 0 before it;
/// all values of h come out. PyTorch's two biases are one here.
module Rnn(Hidden, act = tanh)(x: [B, T, In]) -> [B, T, Hidden] {
  gates = Dense(Hidden)

  scan x over T with h = zeros[B, Hidden] {
    h = concat(x, h) -> gates -> act
    yield h
  }
}

/// Hochreiter, Schmidhuber: Long short-term memory (1997), with the forget gate of Gers et al. (2000). The gates lie in the
/// order input, forget, output, candidate in the one kernel of [x, h] (PyTorch's order is input, forget, candidate, output, and
/// its two biases are one here); h and the cell are 0 before the first step, and all values of h come out.
module Lstm(Hidden)(x: [B, T, In]) -> [B, T, Hidden] {
  gates = Dense(4 * Hidden)

  scan x over T with h = zeros[B, Hidden], c = zeros[B, Hidden] {
    i, f, o, g = concat(x, h) -> gates -> split(4)
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    h = sigmoid(o) * tanh(c)
    yield h
  }
}

/// Cho et al.: Learning phrase representations using RNN encoder-decoder (2014), with the reset gate applied behind the
/// product with h, as in PyTorch and cuDNN. The gates lie in the order reset, update, candidate in the kernels of x and of h;
/// h is 0 before the first step, and all values of h come out.
module Gru(Hidden)(x: [B, T, In]) -> [B, T, Hidden] {
  input = Dense(3 * Hidden)
  hidden = Dense(3 * Hidden)

  scan x over T with h = zeros[B, Hidden] {
    xr, xz, xn = x -> input -> split(3)
    hr, hz, hn = h -> hidden -> split(3)
    z = sigmoid(xz + hz)
    n = tanh(xn + sigmoid(xr + hr) * hn)
    h = (1 - z) * n + z * h
    yield h
  }
}

/// Schuster, Paliwal: Bidirectional recurrent neural networks (1997). One cell reads the steps in order, another one from the
/// last to the first; the features of both stand side by side: `Bidirectional(64)`, `Bidirectional(64, cell = Gru)`.
module Bidirectional(Hidden, cell = Lstm)(x: [B, T, In]) -> [B, T, 2 * Hidden] {
  ahead = x -> forward: cell(Hidden)
  back  = flip(x) over T -> backward: cell(Hidden) -> flip over T
  concat(ahead, back)
}
