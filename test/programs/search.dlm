dlm 1

use "./price.dlm" (Housing)

let width = 64
let depth = 2
let drop  = 0.1
let rate  = 1e-3
let act   = relu

model Price(home: Housing) -> [B] {
  concat(home.numbers -> Standardize, home.ocean -> OneHot)
    -> repeat depth { Dense(width) -> act -> dropout(drop) }
    -> Dense(1) -> squeeze
}

train Price on Housing {
  loss       huber(out, price)
  optimizer  adam(rate)
  batch      64
  epochs     100
  stop       early, watch = valid.loss, patience = 8
}

tune Price on Housing {
  vary      width in [32, 64, 128, 256]
  vary      depth in 1..4
  vary      drop  in 0.0..0.5
  vary      rate  in log(1e-5..1e-1)
  vary      act   in [relu, gelu, silu]

  search    bayesian, trials = 60, seed = 3
  prune     median, after = 5 * epoch
  minimise  valid.loss
}
