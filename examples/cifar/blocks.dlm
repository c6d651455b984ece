dlm 1

// Blocks of residual networks (He, Zhang, Ren, Sun 2015).

/// A convolution without bias, and the normalisation behind it.
module ConvNorm(Out, size = 3, stride = 1)(x: [B, H, W, In]) -> [B, _, _, Out] {
  x
    -> conv: Conv(Out, size, stride = stride, bias = false)
    -> norm: BatchNorm
}

/// Two convolutions added to what goes in; where sizes change, what goes in passes a convolution of size 1.
module Basic(Out, stride = 1)(x: [B, H, W, In]) -> [B, _, _, Out] {
  shortcut = if stride == 1 and In == Out { identity } else { ConvNorm(Out, 1, stride) }

  x
    -> residual via shortcut {
         conv1: ConvNorm(Out, 3, stride) -> relu
           -> conv2: ConvNorm(Out, 3)
       }
    -> relu
}
