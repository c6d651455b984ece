dlm 1

/// A dense layer: x @ kernel + shift.
module Dense(Out, bias = true, init = glorot)(x: [.., In]) -> [.., Out] {
  weight kernel : [In, Out] ~ init
  y = dot(x, kernel) over In

  if bias {
    weight shift : [Out] = 0
    y + shift
  } else { y }
}

/// A number for each feature of x times each feature of y, summed with learned weights: x @ kernel @ y + shift.
module Bilinear(Out, bias = true, init = glorot)(x: [.., L], y: [.., R]) -> [.., Out] {
  weight kernel : [L, R, Out] ~ init
  z = sum((dot(x, kernel) over L) * y) over R

  if bias {
    weight shift : [Out] = 0
    z + shift
  } else { z }
}

/// 1 at the place of the class, else 0.
module OneHot(id: int<N>[..]) -> [.., N] {
  one_hot(id)
}

/// A learned vector for each integer.
module Embed(D, init = normal(0.02))(id: int<N>[..]) -> [.., D] {
  weight table : [N, D] ~ init
  table[id]
}
