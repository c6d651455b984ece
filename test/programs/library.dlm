dlm 1

/// x @ kernel + bias
module Dense(Out, bias = true, init = glorot)(x: [.., In]) -> [.., Out] {
  weight kernel : [In, Out] ~ init
  y = dot(x, kernel) over In

  if bias {
    weight shift : [Out] = 0
    y + shift
  } else { y }
}

module Embed(D, init = normal(0.02))(id: int<N>[..]) -> [.., D] {
  weight table : [N, D] ~ init
  table[id]
}

module LayerNorm(eps = 1e-5)(x: [.., D]) -> [.., D] {
  weight scale : [D] = 1
  weight shift : [D] = 0
  m = mean(x) over D
  v = variance(x) over D
  (x - m) / sqrt(v + eps) * scale + shift
}

module BatchNorm(momentum = 0.9, eps = 1e-5)(x: [B, ..S, C]) -> [B, ..S, C] {
  weight scale : [C] = 1
  weight shift : [C] = 0
  state  m     : [C] = 0
  state  v     : [C] = 1

  if training {
    bm = mean(x) over [B, ..S]
    bv = variance(x) over [B, ..S]
    n = count(x) over [B, ..S]
    m <- momentum * m + (1 - momentum) * bm
    v <- momentum * v + (1 - momentum) * bv * n / max(n - 1, 1)
    (x - bm) / sqrt(bv + eps) * scale + shift
  } else {
    (x - m) / sqrt(v + eps) * scale + shift
  }
}

/// Fitted once, on the train split, before the first step.
module Standardize(x: [B, F]) -> [B, F] {
  state m : [F] = 0
  state s : [F] = 1
  if fitting {
    m <- mean(x) over B
    s <- deviation(x) over B
  }
  (x - m) / s
}

fn dropout(rate)(x: [..]) -> [..] where 0 <= rate, rate < 1 {
  if training { x * bernoulli(1 - rate, like = x) / (1 - rate) } else { x }
}

fn cross_entropy(logits: [.., Class], label: int<Class>[..]) -> [] {
  mean(logsumexp(logits) over Class - pick(logits, label) over Class) over [..]
}

op conv(stride = 1, pad = 0)(x: [B, H, W, I], k: [Kh, Kw, I, O]) -> [B, P, Q, O]
  where P == floor((H + 2 * pad - Kh) / stride) + 1,
        Q == floor((W + 2 * pad - Kw) / stride) + 1
{
  y[b, p, q, o] += x[b, p * stride + i - pad, q * stride + j - pad, c] * k[i, j, c, o]
}

optimizer adam(rate, beta1 = 0.9, beta2 = 0.999, eps = 1e-8) {
  state m = 0
  state v = 0
  m <- beta1 * m + (1 - beta1) * g
  v <- beta2 * v + (1 - beta2) * g ^ 2
  w <- w - rate * (m / (1 - beta1 ^ step)) / (sqrt(v / (1 - beta2 ^ step)) + eps)
}

check Dense {
  gradient within = 1e-3
  same     across = [wasm, webgpu], within = 1e-5
}
