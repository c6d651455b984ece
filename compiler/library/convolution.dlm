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
/// `valid` is no padding; a number is that many on every side, a pair `(before, after)` so many on the two sides of every
/// axis. A window with `dilation` pads as one that is as wide without.
/// `groups` cuts the channels into equal parts, each of which sees only its own inputs.
/// Kernels start as He et al. 2015 have it, since a rectifier nearly always follows.
module Conv(Out, size, stride = 1, pad = same, dilation = 1, groups = 1, bias = true, init = he)(
  x: [B, H, W, In]
) -> [B, _, _, Out]
  where 1 <= size,
        1 <= stride,
        1 <= dilation,
        1 <= groups,
        groups divides In,
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

/// As convolve1, for each group of features alone.
op convolve1_groups(stride, dilation, before, P)(
  x: [B, T, G, I],
  k: [K, I, G, O]
) -> [B, T=P, G, O] {
  y[b, p, g, o] += x[b, p * stride + i * dilation - before, g, c] * k[i, c, g, o]
}

/// Convolution along a sequence, features last; padding and groups as in Conv.
module Conv1(Out, size, stride = 1, pad = same, dilation = 1, groups = 1, bias = true, init = he)(
  x: [B, T, In]
) -> [B, _, Out]
  where 1 <= size,
        1 <= stride,
        1 <= dilation,
        1 <= groups,
        groups divides In,
        groups divides Out,
        fits(T, dilation * (size - 1) + 1, pad)
{
  weight kernel : [size, In / groups, Out] ~ init

  reach  = dilation * (size - 1) + 1
  before = padding(T, reach, stride, pad)
  cells  = windows(T, reach, stride, pad)
  y = if groups == 1 { convolve1(stride, dilation, before, cells)(x, kernel) } else {
    xs = x      -> [B, T, (groups I)] => [B, T, groups, I]
    ks = kernel -> [K, I, (groups O)] => [K, I, groups, O]
    ys = convolve1_groups(stride, dilation, before, cells)(xs, ks)
    ys -> [B, T, groups, O] => [B, T, Out=(groups O)]
  }

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

/// As convolve3, for each group of channels alone.
op convolve3_groups(stride, dilation, front, top, left, N, P, Q)(
  x: [B, D, H, W, G, I],
  k: [Kd, Kh, Kw, I, G, O]
) -> [B, D=N, H=P, W=Q, G, O] {
  y[b, n, p, q, g, o] += x[
    b,
    n * stride + h * dilation - front,
    p * stride + i * dilation - top,
    q * stride + j * dilation - left,
    g,
    c
  ] *
    k[h, i, j, c, g, o]
}

/// Convolution through a volume (depth, height, width) with a cube as window, channels last; padding and groups as in Conv.
module Conv3(Out, size, stride = 1, pad = same, dilation = 1, groups = 1, bias = true, init = he)(
  x: [B, D, H, W, In]
) -> [B, _, _, _, Out]
  where 1 <= size,
        1 <= stride,
        1 <= dilation,
        1 <= groups,
        groups divides In,
        groups divides Out,
        fits(D, dilation * (size - 1) + 1, pad),
        fits(H, dilation * (size - 1) + 1, pad),
        fits(W, dilation * (size - 1) + 1, pad)
{
  weight kernel : [size, size, size, In / groups, Out] ~ init

  reach  = dilation * (size - 1) + 1
  front  = padding(D, reach, stride, pad)
  top    = padding(H, reach, stride, pad)
  left   = padding(W, reach, stride, pad)
  slices = windows(D, reach, stride, pad)
  rows   = windows(H, reach, stride, pad)
  cells  = windows(W, reach, stride, pad)
  y = if groups == 1 {
    convolve3(stride, dilation, front, top, left, slices, rows, cells)(x, kernel)
  } else {
    xs = x      -> [B, D, H, W, (groups I)] => [B, D, H, W, groups, I]
    ks = kernel -> [Kd, Kh, Kw, I, (groups O)] => [Kd, Kh, Kw, I, groups, O]
    ys = convolve3_groups(stride, dilation, front, top, left, slices, rows, cells)(xs, ks)
    ys -> [B, D, H, W, groups, O] => [B, D, H, W, Out=(groups O)]
  }

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
  where 1 <= size,
        1 <= stride,
        1 <= dilation,
        1 <= multiplier,
        fits(H, dilation * (size - 1) + 1, pad),
        fits(W, dilation * (size - 1) + 1, pad)
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
)(x: [B, H, W, In]) -> [B, _, _, Out]
  where 1 <= size, 1 <= stride, 1 <= dilation, 1 <= multiplier
{
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

/// What each pixel adds to the cells around it. Rows of the result lie in N groups of R, columns in M groups of S; the kernel
/// is cut in the same way, so that one dense contraction makes R * S cells of a group at once and no zero is multiplied.
op spread(N, M)(x: [B, H, W, I], k: [Kh, R, Kw, S, I, O]) -> [B, N, R, M, S, O] {
  y[b, n, r, m, s, o] += x[b, n - i, m - j, c] * k[i, r, j, s, c, o]
}

/// Transposed convolution (PyTorch's ConvTranspose2d): H and W become stride times as large. Needs stride <= size.
///
/// Each pixel adds its value times the kernel to size by size cells, which lie stride apart for neighbouring pixels; of what
/// reaches beyond the result, floor((size - stride) / 2) cells before it and the rest behind it are left out.
module Upconv(Out, size, stride = 2, bias = true, init = glorot)(x: [B, H, W, In]) -> [B, H=stride *
  H, W=stride * W, Out]
  where 1 <= stride, stride <= size
{
  weight kernel : [Kh=size, Kw=size, In, Out] ~ init

  // the kernel in whole groups of stride by stride cells: zeros behind it where its size is no multiple
  groups = ceil(size / stride)
  rest   = stride * groups - size
  rows   = if rest == 0 { kernel } else { concat(kernel, zeros[rest, size, In, Out]) over Kh }
  whole  = if rest == 0 { rows } else { concat(rows, zeros[size + rest, rest, In, Out]) over Kw }
  parts  = whole -> [(Kh stride), (Kw stride), I, O] => [Kh, R=stride, Kw, S=stride, I, O]

  wide = spread(H + groups - 1, W + groups - 1)(x, parts)
    -> [B, N, R, M, S, O] => [B, N=(N R), M=(M S), Out=O]
  before = floor((size - stride) / 2)
  after  = stride * (groups - 1) - before
  y      = wide -> crop(before, after) over N -> crop(before, after) over M

  if bias {
    weight shift : [Out] = 0
    y + shift
  } else { y }
}
