dlm 1

/// Positive numbers that add up to 1 along axes.
fn softmax(x: [.., ..Over]) -> [.., ..Over] {
  m = detach(max(x) over [..Over])
  e = exp(x - m)
  s = sum(e) over [..Over]
  e / s
}

/// The logarithm of softmax.
fn log_softmax(x: [.., ..Over]) -> [.., ..Over] {
  m = detach(max(x) over [..Over])
  d = x - m
  d - log(sum(exp(d)) over [..Over])
}

/// max(x, 0)
fn relu(x: [..]) -> [..] {
  max(x, 0)
}

/// x where it is positive, else slope * x. Maas, Hannun, Ng (2013)
fn leaky_relu(slope = 0.01)(x: [..]) -> [..] {
  max(x, 0) + slope * min(0, x)
}

/// leaky_relu with a learned slope for each feature. He et al. (2015)
module Prelu(start = 0.25)(x: [.., D]) -> [.., D] {
  weight slope : [D] = start
  max(x, 0) + slope * min(0, x)
}

/// x where it is positive, else alpha * (exp(x) - 1). Clevert, Unterthiner, Hochreiter (2016)
fn elu(alpha = 1)(x: [..]) -> [..] {
  max(x, 0) + alpha * expm1(min(0, x))
}

/// elu with the two constants that keep mean 0 and variance 1 from layer to layer. Klambauer et al. (2017)
fn selu(x: [..]) -> [..] {
  1.0507009873554805 * (x -> elu(1.6732632423543772))
}

/// x times the chance that a normal number is below x. Hendrycks, Gimpel (2016)
fn gelu(x: [..]) -> [..] {
  0.5 * x * (1 + erf(x * 0.7071067811865476))
}

/// The approximation of gelu by tanh, which is ±1 from 10 on: the cube of larger numbers would overflow.
fn gelu_tanh(x: [..]) -> [..] {
  c = max(min(x, 10), -10)
  0.5 * x * (1 + tanh(0.7978845608028654 * (c + 0.044715 * c * c * c)))
}

/// x * sigmoid(x). Elfwing, Uchibe, Doya (2017)
fn silu(x: [..]) -> [..] {
  x * sigmoid(x)
}

/// sigmoid by three straight lines: 0 up to -3, 1 from 3 on, x / 6 + 1 / 2 between.
fn hard_sigmoid(x: [..]) -> [..] {
  min(max(x + 3, 0), 6) / 6
}

/// x * tanh(softplus(x)). Misra (2019)
fn mish(x: [..]) -> [..] {
  x * tanh(softplus(x))
}

/// The first half of the features, each times the sigmoid of its partner in the second half. Dauphin et al. (2017)
fn glu(x: [.., D]) -> [.., D / 2]
  where 2 divides D
{
  value, gate = split(2)(x)
  value * sigmoid(gate)
}
