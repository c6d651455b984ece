dlm 1

/// The benchmark gives random rows.
data Digits from app {
  input   image : f32[H=28, W=28, C=1]
  target  label : category("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
}

/// Four convolutions and two dense layers, 467,818 weights.
model Cnn(image: [B, H=28, W=28, C=1]) -> [B, Class=10] {
  image
    -> Conv(32, 3) -> relu -> Conv(32, 3) -> relu -> maxpool(2)
    -> Conv(64, 3) -> relu -> Conv(64, 3) -> relu -> maxpool(2)
    -> flatten
    -> Dense(128)  -> relu
    -> Dense(10)
}

train Cnn on Digits {
  loss       cross_entropy(out, label)
  optimizer  adam(1e-3)
  batch      32
}
