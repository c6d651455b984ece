dlm 1

/// The largest number in each window; padding never wins. As PyTorch's max_pool2d, with `pad` as in Conv.
fn maxpool(size, stride = size, pad = same)(x: [B, H, W, C]) -> [B, _, _, C]
  where 1 <= size, 1 <= stride, fits(H, size, pad), fits(W, size, pad)
{
  window_max(
    size,
    stride,
    padding(H, size, stride, pad),
    padding(W, size, stride, pad),
    windows(H, size, stride, pad),
    windows(W, size, stride, pad)
  )(x)
}

/// The sum over each window of a channel.
op window_sum(stride, top, left, P, Q)(x: [B, H, W, C], k: [Kh, Kw]) -> [B, H=P, W=Q, C] {
  y[b, p, q, c] += x[b, p * stride + i - top, q * stride + j - left, c] * k[i, j]
}

/// The mean of each window; padding counts as zeros (PyTorch's avg_pool2d).
fn avgpool(size, stride = size, pad = same)(x: [B, H, W, C]) -> [B, _, _, C]
  where 1 <= size, 1 <= stride, fits(H, size, pad), fits(W, size, pad)
{
  sums = window_sum(
    stride,
    padding(H, size, stride, pad),
    padding(W, size, stride, pad),
    windows(H, size, stride, pad),
    windows(W, size, stride, pad)
  )(x, ones[size, size])
  sums / (size * size)
}

/// The mean of each channel over all places of an image, a sequence or a volume.
fn global_avgpool(x: [B, ..S, C]) -> [B, C] {
  mean(x) over [..S]
}

/// The largest number of each channel over all places of an image, a sequence or a volume.
fn global_maxpool(x: [B, ..S, C]) -> [B, C] {
  max(x) over [..S]
}
