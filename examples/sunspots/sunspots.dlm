dlm 1

/// Sunspot numbers of 48 months from 1749 on and of the month behind them; the split is in order of time.
data Sunspots from arrays("../../.data/sunspots/windows.safetensors") {
  input  past : f32[T=48, D=1]
  target next : number

  split    train = 64%, valid = 16%, test = 20%
  shuffle  off
}

/// What the next month adds to the last one. The spread of the numbers grows with them, that of their roots does not.
model Month(past: [B, T=48, D=1]) -> [B] {
  roots = sqrt(past) / 16
  read  = roots -> Gru(32) -> last_of over T
  root  = (last_of(roots) over T) + (read -> Dense(1)) / 4

  root ^ 2 * 256 -> squeeze
}

train Month on Sunspots {
  loss       mse(out / 100, next / 100)
  optimizer  adam(cosine(2e-3, total = 40 * epoch))
  batch      32
  epochs     40
  keep       best, by = valid.rmse
}

evaluate Month on Sunspots.test {
  metrics  rmse, mae
}

deploy Month {
  target  wasm
}
