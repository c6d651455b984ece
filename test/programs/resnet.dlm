dlm 1

module ConvNorm(Out, size = 3, stride = 1)(x: [B, H, W, In]) -> [B, _, _, Out] {
  x -> conv: Conv(Out, size, stride = stride, bias = false)
    -> norm: BatchNorm
}

module Basic(Out, stride = 1)(x: [B, H, W, In]) -> [B, _, _, Out] {
  shortcut = if stride == 1 and In == Out { identity } else { ConvNorm(Out, 1, stride) }

  x -> residual via shortcut {
         conv1: ConvNorm(Out, 3, stride) -> relu -> conv2: ConvNorm(Out, 3)
       }
    -> relu
}

/// He et al. 2015, Table 1, the 18-layer column.
model ResNet18(photo: [B, H=224, W=224, C=3]) -> [B, Class=1000] {
  photo
    -> stem:   ConvNorm(64, 7, stride = 2) -> relu -> maxpool(3, stride = 2)
    -> stage1: { Basic(64)              -> Basic(64)  }
    -> stage2: { Basic(128, stride = 2) -> Basic(128) }
    -> stage3: { Basic(256, stride = 2) -> Basic(256) }
    -> stage4: { Basic(512, stride = 2) -> Basic(512) }
    -> pool:   mean over [H, W]
    -> head:   Dense(1000)
}
