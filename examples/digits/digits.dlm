dlm 1

/// Handwritten digits of 8 x 8 pixels, 0 (paper) to 16 (ink).
data Digits from arrays("digits.npz") {
  input  image : u8[H=8, W=8, C=1]
  target label : category("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")

  split  train = 70%, valid = 10%, test = 20%, seed = 7
}

/// Two convolutions and two dense layers, 29,962 weights.
model Digit(image: u8[B, H=8, W=8, C=1]) -> [B, Class=10] {
  image
    -> scale(1/16)
    -> Conv(16, 3, bias = false) -> BatchNorm -> relu
    -> Conv(32, 3, bias = false) -> BatchNorm -> relu
    -> maxpool(2)
    -> flatten   -> dropout(0.3)
    -> Dense(48) -> relu
    -> Dense(10)
}

train Digit on Digits {
  loss       cross_entropy(out, label)
  optimizer  adam(cosine(2e-3, total = 20 * epoch))
  batch      32
  epochs     20
  keep       best, by = valid.accuracy
}

evaluate Digit on Digits.test {
  metrics  accuracy, f1(macro)
  report   confusion
  require  accuracy >= 97%
}

deploy Digit {
  target  webgpu, wasm
}
