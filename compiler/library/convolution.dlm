dlm 1

// A dilated window looks at every `dilation`-th cell, and so reaches over dilation * (size - 1) + 1 of them.

/// Sums over a window that slides over an image: top rows and left columns of zeros before it.
op convolve(stride, dilation, top, left, P, Q)(
  x: [B, H, W, I],
  k: [Kh, Kw, I, O]
) -> [B, H=P, W=Q, O] {
  y[b, p, q, o] += x[b, p * stride + i * dilation - top, q * stride + j * dilation - left, c] *
    k[i, j, c, o]
}

/// As convolve, for each group of channels alone.
op convolve_groups(stride, dilation, top, left, P, Q)(
  x: [B, H, W, G, I],
  k: [Kh, Kw, I, G, O]
) -> [B, H=P, W=Q, G, O] {
  y[b, p, q, g, o] += x[
    b,
    p * stride + i * dilation - top,
    q * stride + j * dilation - left,
    g,
    c
  ] *
    k[i, j, c, g, o]
}

/// Two-dimensional convolution with a square window, channels last.
///
/// `pad = same` puts floor((size - 1) / 2) zeros on every side (PyTorch's symmetric padding, so an odd size with stride 1
/// keeps H and W); `same_upper` gives ceil(n / stride) outputs and puts the odd cell last (TensorFlow, Keras, ONNX);
/// `valid` is no padding; a number is that many on every side. A window with `dilation` pads as one that is as wide without.
/// `groups` cuts the channels into equal parts, each of which sees only its own inputs.
/// Kernels start as He et al. 2015 have it, since a rectifier nearly always follows.
module Conv(Out, size, stride = 1, pad = same, dilation = 1, groups = 1, bias = true, init = he)(
  x: [B, H, W, In]
) -> [B, _, _, Out]
  where groups divides In,
        groups divides Out,
        fits(H, dilation * (size - 1) + 1, pad),
        fits(W, dilation * (size - 1) + 1, pad)
{
  weight kernel : [size, size, In / groups, Out] ~ init

  reach = dilation * (size - 1) + 1
  top   = padding(H, reach, stride, pad)
  left  = padding(W, reach, stride, pad)
  rows  = windows(H, reach, stride, pad)
  cells = windows(W, reach, stride, pad)
  y = if groups == 1 { convolve(stride, dilation, top, left, rows, cells)(x, kernel) } else {
    xs = x      -> [B, H, W, (groups I)] => [B, H, W, groups, I]
    ks = kernel -> [Kh, Kw, I, (groups O)] => [Kh, Kw, I, groups, O]
    ys = convolve_groups(stride, dilation, top, left, rows, cells)(xs, ks)
    ys -> [B, H, W, groups, O] => [B, H, W, Out=(groups O)]
  }

  if bias {
    weight shift : [Out] = 0
    y + shift
  } else { y }
}

/// Sums over a window that slides along a sequence.
op convolve1(stride, dilation, before, P)(x: [B, T, I], k: [K, I, O]) -> [B, T=P, O] {
  y[b, p, o] += x[b, p * stride + i * dilation - before, c] * k[i, c, o]
}

/// Convolution along a sequence, features last; padding as in Conv.
module Conv1(Out, size, stride = 1, pad = same, dilation = 1, bias = true, init = he)(
  x: [B, T, In]
) -> [B, _, Out]
  where fits(T, dilation * (size - 1) + 1, pad)
{
  weight kernel : [size, In, Out] ~ init

  reach = dilation * (size - 1) + 1
  y = convolve1(stride, dilation, padding(T, reach, stride, pad), windows(T, reach, stride, pad))(
    x,
    kernel
  )

  if bias {
    weight shift : [Out] = 0
    y + shift
  } else { y }
}

/// Sums over a window that slides through a volume.
op convolve3(stride, dilation, front, top, left, N, P, Q)(
  x: [B, D, H, W, I],
  k: [Kd, Kh, Kw, I, O]
) -> [B, D=N, H=P, W=Q, O] {
  y[b, n, p, q, o] += x[
    b,
    n * stride + h * dilation - front,
    p * stride + i * dilation - top,
    q * stride + j * dilation - left,
    c
  ] *
    k[h, i, j, c, o]
}

/// Convolution through a volume (depth, height, width) with a cube as window, channels last; padding as in Conv.
module Conv3(Out, size, stride = 1, pad = same, dilation = 1, bias = true, init = he)(
  x: [B, D, H, W, In]
) -> [B, _, _, _, Out]
  where fits(D, dilation * (size - 1) + 1, pad),
        fits(H, dilation * (size - 1) + 1, pad),
        fits(W, dilation * (size - 1) + 1, pad)
{
  weight kernel : [size, size, size, In, Out] ~ init

  reach = dilation * (size - 1) + 1
  y = convolve3(
    stride,
    dilation,
    padding(D, reach, stride, pad),
    padding(H, reach, stride, pad),
    padding(W, reach, stride, pad),
    windows(D, reach, stride, pad),
    windows(H, reach, stride, pad),
    windows(W, reach, stride, pad)
  )(x, kernel)

  if bias {
    weight shift : [Out] = 0
    y + shift
  } else { y }
}

/// Sums over a window of each channel, with M kernels for each.
op convolve_each(stride, dilation, top, left, P, Q)(
  x: [B, H, W, C],
  k: [Kh, Kw, C, M]
) -> [B, H=P, W=Q, C, M] {
  y[b, p, q, c, m] += x[b, p * stride + i * dilation - top, q * stride + j * dilation - left, c] *
    k[i, j, c, m]
}

/// A convolution of each channel alone; `multiplier` results for each, side by side (Conv with groups = In). Padding as in Conv.
module Depthwise(
  size,
  stride = 1,
  pad = same,
  dilation = 1,
  multiplier = 1,
  bias = true,
  init = he
)(x: [B, H, W, In]) -> [B, _, _, multiplier * In]
  where fits(H, dilation * (size - 1) + 1, pad), fits(W, dilation * (size - 1) + 1, pad)
{
  weight kernel : [size, size, 1, multiplier * In] ~ init

  reach = dilation * (size - 1) + 1
  top   = padding(H, reach, stride, pad)
  left  = padding(W, reach, stride, pad)
  each  = kernel -> [Kh, Kw, I, (C multiplier)] => [Kh, Kw, (I C), multiplier]
  ys    = convolve_each(
    stride,
    dilation,
    top,
    left,
    windows(H, reach, stride, pad),
    windows(W, reach, stride, pad)
  )(x, each)
  y = ys -> [B, H, W, C, M] => [B, H, W, Out=(C M)]

  if bias {
    weight shift : [Out=multiplier * In] = 0
    y + shift
  } else { y }
}

/// A window over each channel alone, then a dense layer over the channels of each place: far fewer weights than Conv. Chollet
/// (2017). As in Keras, the first part has no shift.
module Separable(
  Out,
  size,
  stride = 1,
  pad = same,
  dilation = 1,
  multiplier = 1,
  bias = true,
  init = he
)(x: [B, H, W, In]) -> [B, _, _, Out] {
  x
    -> depth: Depthwise(
         size,
         stride,
         pad = pad,
         dilation = dilation,
         multiplier = multiplier,
         bias = false,
         init = init
       )
    -> point: Conv(Out, 1, bias = bias, init = init)
}

/// The kernel is read backwards, so that weights are those of a transposed convolution (PyTorch's ConvTranspose2d).
op convolve_back(size, top, left, P, Q)(
  x: [B, H, W, I],
  k: [size, size, I, O]
) -> [B, H=P, W=Q, O] {
  y[b, p, q, o] += x[b, p + i - top, q + j - left, c] * k[size - 1 - i, size - 1 - j, c, o]
}

/// Transposed convolution: H and W become stride times as large. Needs stride <= size.
///
/// Zeros are put between the pixels, then a window slides over them with stride 1.
module Upconv(Out, size, stride = 2, bias = true, init = glorot)(x: [B, H, W, In]) -> [B, H=stride *
  H, W=stride * W, Out]
  where stride <= size
{
  weight kernel : [size, size, In, Out] ~ init

  // zeros behind each pixel, within its own cell of stride by stride
  cells = x -> [B, H, W, In] => [B, H, 1, W, 1, In] -> [B, H, R, W, S, In] => [B, H, R, W, S, In]
  rows  = if stride == 1 { cells } else { concat(cells, zeros[B, H, stride - 1, W, 1, In]) over R }
  all   = if stride == 1 { rows } else {
    concat(rows, zeros[B, H, stride, W, stride - 1, In]) over S
  }
  wide = all -> [B, H, R, W, S, In] => [B, H=(H R), W=(W S), In]

  before = size - 1 - floor((size - stride) / 2)
  y = convolve_back(size, before, before, stride * H, stride * W)(wide, kernel)

  if bias {
    weight shift : [Out] = 0
    y + shift
  } else { y }
}
