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

/// Sums over a window that slides over an image: top rows and left columns of zeros before it.
op convolve(stride, top, left, P, Q)(x: [B, H, W, I], k: [Kh, Kw, I, O]) -> [B, H=P, W=Q, O] {
  y[b, p, q, o] += x[b, p * stride + i - top, q * stride + j - left, c] * k[i, j, c, o]
}

/// Two-dimensional convolution with a square window, channels last.
///
/// `pad = same` puts floor((size - 1) / 2) zeros on every side (PyTorch's symmetric padding, so an odd size with stride 1
/// keeps H and W); `same_upper` gives ceil(n / stride) outputs and puts the odd cell last (TensorFlow, Keras, ONNX);
/// `valid` is no padding; a number is that many on every side.
module Conv(Out, size, stride = 1, pad = same, bias = true, init = glorot)(x: [B, H, W, In]) -> [B, _, _, Out]
  where fits(H, size, pad), fits(W, size, pad)
{
  weight kernel : [size, size, In, Out] ~ init

  top  = padding(H, size, stride, pad)
  left = padding(W, size, stride, pad)
  y = convolve(stride, top, left, windows(H, size, stride, pad), windows(W, size, stride, pad))(x, kernel)

  if bias {
    weight shift : [Out] = 0
    y + shift
  } else { y }
}

/// The kernel is read backwards, so that weights are those of a transposed convolution (PyTorch's ConvTranspose2d).
op convolve_back(size, top, left, P, Q)(x: [B, H, W, I], k: [size, size, I, O]) -> [B, H=P, W=Q, O] {
  y[b, p, q, o] += x[b, p + i - top, q + j - left, c] * k[size - 1 - i, size - 1 - j, c, o]
}

/// Transposed convolution: H and W become stride times as large. Needs stride <= size.
///
/// Zeros are put between the pixels, then a window slides over them with stride 1.
module Upconv(Out, size, stride = 2, bias = true, init = glorot)(x: [B, H, W, In]) -> [B, H=stride * H, W=stride * W, Out]
  where stride <= size
{
  weight kernel : [size, size, In, Out] ~ init

  // zeros behind each pixel, within its own cell of stride by stride
  cells = x -> [B, H, W, In] => [B, H, 1, W, 1, In] -> [B, H, R, W, S, In] => [B, H, R, W, S, In]
  rows  = if stride == 1 { cells } else { concat(cells, zeros[B, H, stride - 1, W, 1, In]) over R }
  all   = if stride == 1 { rows } else { concat(rows, zeros[B, H, stride, W, stride - 1, In]) over S }
  wide  = all -> [B, H, R, W, S, In] => [B, H=(H R), W=(W S), In]

  before = size - 1 - floor((size - stride) / 2)
  y = convolve_back(size, before, before, stride * H, stride * W)(wide, kernel)

  if bias {
    weight shift : [Out] = 0
    y + shift
  } else { y }
}

/// The largest number in each window; padding never wins. As PyTorch's max_pool2d, with `pad` as in Conv.
fn maxpool(size, stride = size, pad = same)(x: [B, H, W, C]) -> [B, _, _, C]
  where fits(H, size, pad), fits(W, size, pad)
{
  window_max(size, stride, padding(H, size, stride, pad), padding(W, size, stride, pad),
    windows(H, size, stride, pad), windows(W, size, stride, pad))(x)
}

/// The sum over each window of a channel.
op window_sum(stride, top, left, P, Q)(x: [B, H, W, C], k: [Kh, Kw]) -> [B, H=P, W=Q, C] {
  y[b, p, q, c] += x[b, p * stride + i - top, q * stride + j - left, c] * k[i, j]
}

/// The mean of each window; padding counts as zeros (PyTorch's avg_pool2d).
fn avgpool(size, stride = size, pad = same)(x: [B, H, W, C]) -> [B, _, _, C]
  where fits(H, size, pad), fits(W, size, pad)
{
  sums = window_sum(stride, padding(H, size, stride, pad), padding(W, size, stride, pad),
    windows(H, size, stride, pad), windows(W, size, stride, pad))(x, ones[size, size])
  sums / (size * size)
}

/// Ba, Kiros, Hinton: Layer normalization (2016). Each row of features gets mean 0 and variance 1, then a learned scale and shift.
module LayerNorm(eps = 1e-5)(x: [.., D]) -> [.., D] {
  weight scale : [D] = 1
  weight shift : [D] = 0
  m = mean(x) over D
  v = variance(x) over D
  (x - m) / sqrt(v + eps) * scale + shift
}

/// Ioffe, Szegedy: Batch normalization (2015). While training each channel is normalised by the batch; the running mean and
/// the running unbiased variance, which are used afterwards, keep `momentum` of their old value in each step (PyTorch's momentum is 1 - momentum).
module BatchNorm(momentum = 0.9, eps = 1e-5)(x: [B, ..S, C]) -> [B, ..S, C] {
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

/// 1 at the place of the class, else 0.
module OneHot(id: int<N>[..]) -> [.., N] {
  one_hot(id)
}

/// A learned vector for each integer.
module Embed(D, init = normal(0.02))(id: int<N>[..]) -> [.., D] {
  weight table : [N, D] ~ init
  table[id]
}

/// While training each element becomes 0 with chance `rate`, and the others grow so that the mean stays. Otherwise x.
fn dropout(rate)(x: [..]) -> [..]
  where 0 <= rate, rate < 1
{
  if training { x * bernoulli(1 - rate, like = x) / (1 - rate) } else { x }
}
