dlm 1

/// The benchmark gives random rows.
data Rows from app {
  input   x : f32[N=4]
  target  y : f32
}

/// A million weights whose gradient costs next to nothing, so that a step is the optimizer.
model Million(x: [B, N=4]) -> [B] {
  weight w : [1024, 1024] ~ normal(1)
  (mean(x) over N) * (mean(w) over [..])
}

train Million on Rows {
  loss       mean(out * y) over [..]
  optimizer  adam(1e-3)
  batch      1
}
