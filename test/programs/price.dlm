dlm 1

/// California house prices: a table in, one number out.
data Housing from csv("housing.csv") {
  input  longitude, latitude, age, rooms, bedrooms, people, homes, income : number
  input  ocean : category
  target price : number

  drop   missing
  split  train = 80%, valid = 10%, test = 10%, seed = 7
}

model Price(home: Housing) -> [B] {
  concat(home.numbers -> Standardize, home.ocean -> OneHot)
    -> Dense(64) -> relu -> dropout(0.1)
    -> Dense(64) -> relu
    -> Dense(1)  -> squeeze
}

train Price on Housing {
  loss       huber(out, price)
  optimizer  adam(1e-3)
  penalty    l2(1e-4)
  batch      64
  epochs     200
  stop       early, watch = valid.loss, patience = 10
  keep       best, by = valid.loss
}

evaluate Price on Housing.test {
  metrics  mae, rmse, r2
  report   by = ocean
  require  r2 >= 0.75
}

deploy Price {
  target   wasm, node
  weights  f16
  serve    http, port = 8080, path = "/price"
  monitor {
    drift    home.income, against = Housing.train, alert = psi > 0.2
    latency  p95 < 5ms
  }
}
