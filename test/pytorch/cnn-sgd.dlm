dlm 1

data Images from arrays("images.npz") {
  input  x : f32[H=8, W=8, C=3]
  target y : int<10>
}

model Cnn(x: [B, H=8, W=8, C=3]) -> [B, Class=10] {
  x
    -> Conv(12, 3) -> BatchNorm -> relu
    -> maxpool(2)
    -> Conv(16, 3, stride = 2) -> BatchNorm -> relu
    -> flatten
    -> Dense(10)
}

train Cnn on Images {
  loss       cross_entropy(out, y)
  optimizer  sgd(0.05, momentum = 0.9)
  batch      16
  epochs     1
}
