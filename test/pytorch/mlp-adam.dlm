dlm 1

data Numbers from arrays("numbers.npz") {
  input  x : f32[F=32]
  target y : int<10>
}

model Mlp(x: [B, F=32]) -> [B, Class=10] {
  x -> Dense(64) -> relu -> Dense(48) -> relu -> Dense(10)
}

train Mlp on Numbers {
  loss       cross_entropy(out, y)
  optimizer  adam(1e-3)
  batch      16
  epochs     1
}
