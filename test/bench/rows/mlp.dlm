dlm 1

/// The benchmark gives random rows.
data Digits from app {
  input   image : f32[784]
  target  label : category("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
}

/// 535,818 weights in three dense layers.
model Mlp(image: [B, 784]) -> [B, Class=10] {
  image -> Dense(512) -> relu -> Dense(256) -> relu -> Dense(10)
}

train Mlp on Digits {
  loss       cross_entropy(out, label)
  optimizer  adam(1e-3)
  batch      64
}
