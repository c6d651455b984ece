dlm 1

/// An image `factor` times as high and wide: each pixel is repeated (PyTorch's mode "nearest").
fn upsample(factor = 2)(x: [B, H, W, C]) -> [B, H=factor * H, W=factor * W, C] {
  x
    -> expand(factor, at = 2)
    -> expand(factor, at = 4)
    -> [B, H, R, W, S, C] => [B, H=(H R), W=(W S), C]
}
