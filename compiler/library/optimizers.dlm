dlm 1

// Rules by which a gradient changes the weights, with PyTorch's formulas and defaults. `w` is the weights, `g` their
// gradient, `step` counts from 1. 1 - beta ^ step is -expm1(step * log(beta)), which keeps its digits while step is small.

/// Stochastic gradient descent (torch.optim.SGD): w - rate * g; with momentum, the velocity v = momentum * v + g takes
/// the place of g; nesterov looks ahead by one more step of it.
optimizer sgd(rate, momentum = 0, nesterov = false)
  where 0 <= rate, 0 <= momentum, momentum < 1, not nesterov or 0 < momentum
{
  if momentum == 0 {
    w <- w - rate * g
  } else {
    state v = 0
    velocity = momentum * v + g
    v <- velocity
    if nesterov {
      w <- w - rate * (g + momentum * velocity)
    } else {
      w <- w - rate * velocity
    }
  }
}

/// Kingma and Ba 2015, algorithm 1 (torch.optim.Adam).
optimizer adam(rate, beta1 = 0.9, beta2 = 0.999, eps = 1e-8)
  where 0 <= rate, 0 <= beta1, beta1 < 1, 0 <= beta2, beta2 < 1, 0 <= eps
{
  state m = 0
  state v = 0
  mean = beta1 * m + (1 - beta1) * g
  square = beta2 * v + (1 - beta2) * g * g
  m <- mean
  v <- square
  c1 = -expm1(step * log(max(beta1, 1e-30)))
  c2 = -expm1(step * log(max(beta2, 1e-30)))
  w <- w - rate / c1 * mean / (sqrt(square / c2) + eps)
}

/// Adam with decoupled weight decay, Loshchilov and Hutter 2019 (torch.optim.AdamW). Decays all weights.
optimizer adamw(rate, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, decay = 0.01)
  where 0 <= rate, 0 <= beta1, beta1 < 1, 0 <= beta2, beta2 < 1, 0 <= eps, 0 <= decay
{
  state m = 0
  state v = 0
  mean = beta1 * m + (1 - beta1) * g
  square = beta2 * v + (1 - beta2) * g * g
  m <- mean
  v <- square
  c1 = -expm1(step * log(max(beta1, 1e-30)))
  c2 = -expm1(step * log(max(beta2, 1e-30)))
  w <- w * (1 - rate * decay) - rate / c1 * mean / (sqrt(square / c2) + eps)
}

/// Divides by a moving average of the gradient's size, Tieleman and Hinton 2012 (torch.optim.RMSprop).
optimizer rmsprop(rate, alpha = 0.99, eps = 1e-8, momentum = 0)
  where 0 <= rate, 0 <= alpha, alpha < 1, 0 <= eps, 0 <= momentum, momentum < 1
{
  state v = 0
  square = alpha * v + (1 - alpha) * g * g
  v <- square
  if momentum == 0 {
    w <- w - rate * g / (sqrt(square) + eps)
  } else {
    state b = 0
    velocity = momentum * b + g / (sqrt(square) + eps)
    b <- velocity
    w <- w - rate * velocity
  }
}

/// Divides by the root of the sum of all squares so far, Duchi, Hazan and Singer 2011 (torch.optim.Adagrad). The sum
/// begins with `start`.
optimizer adagrad(rate, eps = 1e-10, start = 0)
  where 0 <= rate, 0 <= eps, 0 <= start
{
  state v = start
  square = v + g * g
  v <- square
  w <- w - rate * g / (sqrt(square) + eps)
}

/// Steps as large as recent steps, by moving averages of both squares, Zeiler 2012 (torch.optim.Adadelta, whose rate is 1).
optimizer adadelta(rate = 1, rho = 0.9, eps = 1e-6)
  where 0 <= rate, 0 <= rho, rho < 1, 0 < eps
{
  state v = 0
  state u = 0
  square = rho * v + (1 - rho) * g * g
  change = sqrt(u + eps) / sqrt(square + eps) * g
  v <- square
  u <- rho * u + (1 - rho) * change * change
  w <- w - rate * change
}

/// Adam with Nesterov's look ahead, Dozat 2016 (torch.optim.NAdam of PyTorch 2). The momentum grows towards beta1; `done` is the
/// product of what it was in all steps so far, the same for every weight.
optimizer nadam(rate, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, psi = 0.004)
  where 0 <= rate, 0 <= beta1, beta1 < 1, 0 <= beta2, beta2 < 1, 0 <= eps, 0 <= psi
{
  state m = 0
  state v = 0
  state done = 1
  mean = beta1 * m + (1 - beta1) * g
  square = beta2 * v + (1 - beta2) * g * g
  now = beta1 * (1 - 0.5 * exp(step * psi * log(0.96)))
  next = beta1 * (1 - 0.5 * exp((step + 1) * psi * log(0.96)))
  product = done * now
  m <- mean
  v <- square
  done <- product
  c2 = -expm1(step * log(max(beta2, 1e-30)))
  ahead = (1 - now) / (1 - product) * g + next / (1 - product * next) * mean
  w <- w - rate * ahead / (sqrt(square / c2) + eps)
}

/// Steps of the same size for every weight, by the sign of the momentum; weight decay is decoupled. Chen et al. 2023
optimizer lion(rate, beta1 = 0.9, beta2 = 0.99, decay = 0)
  where 0 <= rate, 0 <= beta1, beta1 < 1, 0 <= beta2, beta2 < 1, 0 <= decay
{
  state m = 0
  c = beta1 * m + (1 - beta1) * g
  m <- beta2 * m + (1 - beta2) * g
  w <- w * (1 - rate * decay) - rate * select(c > 0, 1, select(c < 0, -1, 0))
}

/// Adam with decoupled weight decay, where each weight moves in proportion to its length: large batches stay stable at high
/// rates. A weight that is 0 as a whole, such as a new shift, moves by the rate alone. You et al. 2020, algorithm 2
optimizer lamb(rate, beta1 = 0.9, beta2 = 0.999, eps = 1e-6, decay = 0.01)
  where 0 <= rate, 0 <= beta1, beta1 < 1, 0 <= beta2, beta2 < 1, 0 <= eps, 0 <= decay
{
  state m = 0
  state v = 0
  mean = beta1 * m + (1 - beta1) * g
  square = beta2 * v + (1 - beta2) * g * g
  m <- mean
  v <- square
  c1 = -expm1(step * log(max(beta1, 1e-30)))
  c2 = -expm1(step * log(max(beta2, 1e-30)))
  change = mean / c1 / (sqrt(square / c2) + eps) + decay * w
  length = weight_norm(w)
  way = weight_norm(change)
  trust = select(length > 0, select(way > 0, length / select(way > 0, way, 1), 1), 1)
  w <- w - rate * trust * change
}
