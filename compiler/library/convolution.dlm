dlm 1

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
