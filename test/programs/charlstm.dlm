dlm 1

data Plays from text("shakespeare.txt") {
  tokenize chars as Chars
  window   128, target = next
  split    train = 90%, valid = 10%
}

let Chars = Plays.Chars

module Lstm(Hidden)(x: [B, T, In]) -> [B, T, Hidden] {
  gates = Dense(4 * Hidden)

  scan x over T with h = zeros[B, Hidden], c = zeros[B, Hidden] {
    i, f, o, g = concat(x, h) -> gates -> split(4)
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    h = sigmoid(o) * tanh(c)
    yield h
  }
}

model CharLstm(text: int<Chars>[B, T]) -> [B, T, Chars] {
  text
    -> Embed(64)
    -> Lstm(256) -> dropout(0.2)
    -> Lstm(256) -> dropout(0.2)
    -> Dense(Chars)
}

train CharLstm on Plays {
  loss       cross_entropy(out, next)
  optimizer  rmsprop(2e-3)
  clip       5.0
  batch      64
  epochs     20
  stop       early, watch = valid.loss, patience = 2
}

deploy CharLstm {
  target    wasm
  generate  text, max = 2000, sample = temperature(0.7)
}
