dlm 1

/// What 53,940 diamonds were sold for, in dollars, and what is known of each.
data Diamonds from csv("../../.data/diamonds/diamonds.csv") {
  input  carat, depth, table, x, y, z : number
  input  cut, color, clarity : category
  target price : number

  drop   missing, duplicates
  split  train = 80%, valid = 10%, test = 10%, seed = 7
}

/// The price in dollars: the last layer counts in thousands, which keeps its weights near 1.
model Price(stone: Diamonds) -> [B] {
  concat(
    stone.numbers -> Standardize,
    stone.cut -> OneHot,
    stone.color -> OneHot,
    stone.clarity -> OneHot
  )
    -> Dense(128) -> relu
    -> Dense(64)  -> relu
    -> Dense(32)  -> relu
    -> Dense(1)   -> squeeze
    -> * 1000
}

train Price on Diamonds {
  loss       mse(out / 1000, price / 1000)
  optimizer  adam(cosine(2e-3, total = 30 * epoch))
  batch      128
  epochs     30
  keep       best, by = valid.r2
}

evaluate Price on Diamonds.test {
  metrics  mae, rmse, r2
  report   by = cut
  require  r2 >= 0.97
}

deploy Price {
  target  wasm
}
