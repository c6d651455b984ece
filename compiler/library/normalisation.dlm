dlm 1

/// Ba, Kiros, Hinton: Layer normalization (2016). Each row of features gets mean 0 and variance 1, then a learned scale and shift.
module LayerNorm(eps = 1e-5)(x: [.., D]) -> [.., D]
  where 0 <= eps, eps < 1
{
  weight scale : [D] = 1
  weight shift : [D] = 0
  m = mean(x) over D
  v = variance(x) over D
  (x - m) / sqrt(v + eps) * scale + shift
}

/// Zhang, Sennrich: Root mean square layer normalization (2019). Each row of features is divided by the root of its mean
/// square, then scaled by a learned number; its mean is left as it is.
module RMSNorm(eps = 1e-6)(x: [.., D]) -> [.., D]
  where 0 <= eps, eps < 1
{
  weight scale : [D] = 1
  x / sqrt((mean(x * x) over D) + eps) * scale
}

/// Ioffe, Szegedy: Batch normalization (2015). While training each channel is normalised by the batch; the running mean and
/// the running unbiased variance, which are used afterwards, keep `momentum` of their old value in each step (PyTorch's momentum is 1 - momentum).
module BatchNorm(momentum = 0.9, eps = 1e-5)(x: [B, ..S, C]) -> [B, ..S, C]
  where 0 <= momentum, momentum < 1, 0 <= eps, eps < 1
{
  weight scale : [C] = 1
  weight shift : [C] = 0
  state  m     : [C] = 0
  state  v     : [C] = 1

  if training {
    bm = mean(x) over [B, ..S]
    bv = variance(x) over [B, ..S]
    n  = count(x) over [B, ..S]
    m <- momentum * m + (1 - momentum) * bm
    v <- momentum * v + (1 - momentum) * bv * n / max(n - 1, 1)
    (x - bm) / sqrt(bv + eps) * scale + shift
  } else {
    (x - m) / sqrt(v + eps) * scale + shift
  }
}

/// Wu, He: Group normalization (2018). The channels of each row are cut into groups, and each group gets mean 0 and variance 1
/// over all its places; then a learned scale and shift for each channel.
module GroupNorm(groups, eps = 1e-5)(x: [B, ..S, C]) -> [B, ..S, C]
  where 1 <= groups, groups divides C, 0 <= eps, eps < 1
{
  weight scale : [C] = 1
  weight shift : [C] = 0
  cut = x -> [B, ..S, (groups Member)] => [B, ..S, groups, Member]
  m = mean(cut) over [..S, Member]
  v = variance(cut) over [..S, Member]
  whole = (cut - m) / sqrt(v + eps) -> [B, ..S, groups, Member] => [B, ..S, C=(groups Member)]
  whole * scale + shift
}

/// Ulyanov, Vedaldi, Lempitsky: Instance normalization (2016). Each channel of each row gets mean 0 and variance 1 over its
/// places, then a learned scale and shift (PyTorch's with affine = True).
module InstanceNorm(eps = 1e-5)(x: [B, ..S, C]) -> [B, ..S, C]
  where 0 <= eps, eps < 1
{
  weight scale : [C] = 1
  weight shift : [C] = 0
  m = mean(x) over [..S]
  v = variance(x) over [..S]
  (x - m) / sqrt(v + eps) * scale + shift
}

/// Mean 0 and deviation 1 for each feature. Fitted once, on the train split, before the first step.
/// A feature that is the same in every row becomes 0.
module Standardize(x: [B, F]) -> [B, F] {
  state m : [F] = 0
  state s : [F] = 1

  if fitting {
    d = deviation(x) over B
    m <- mean(x) over B
    s <- select(d > 0, d, ones[F])
  }
  (x - m) / s
}
