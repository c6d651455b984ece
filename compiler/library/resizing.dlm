dlm 1

/// An image `factor` times as high and wide: each pixel is repeated (PyTorch's mode "nearest").
fn upsample(factor = 2)(x: [B, H, W, C]) -> [B, H=factor * H, W=factor * W, C]
  where 1 <= factor
{
  x
    -> expand(factor, at = 2)
    -> expand(factor, at = 4)
    -> [B, H, R, W, S, C] => [B, H=(H R), W=(W S), C]
}

/// Mixes each pixel with its neighbours: R times S results for each, by weights of the three rows and the three columns around.
op blend(P, Q)(x: [B, H, W, C], rows: [N, R], columns: [M, S]) -> [B, H=P, R, W=Q, S, C] {
  y[b, p, r, q, s, c] += x[b, p + i, q + j, c] * rows[i, r] * columns[j, s]
}

/// An image `factor` times as high and wide, linear between the middles of its pixels and constant beyond the outer ones
/// (PyTorch's mode "bilinear" with align_corners = False).
fn upsample_bilinear(factor = 2)(x: [B, H, W, C]) -> [B, H=factor * H, W=factor * W, C]
  where 1 <= factor
{
  // the outer pixels once more on every side
  high = concat(x -> crop(0, H - 1) over H, x, x -> crop(H - 1, 0) over H) over H
  wide = concat(high -> crop(0, W - 1) over W, high, high -> crop(W - 1, 0) over W) over W

  // how far the new pixels lie from the middle of their old one, and from those of its neighbours
  offset = (float(position(factor)) + 0.5) / factor - 0.5
  steps  = float(position(3)) - 1 -> expand(factor, at = 1)
  taps   = max(1 - abs(steps - (offset -> expand(3, at = 0))), 0)

  blend(H, W)(wide, taps, taps) -> [B, H, R, W, S, C] => [B, H=(H R), W=(W S), C]
}
