dlm 1

use "./blocks.dlm" (Basic, ConvNorm)

/// He et al. 2015, Table 1, the 18-layer column.
model ResNet18(photo: [B, H=224, W=224, C=3]) -> [B, Class=1000] {
  photo
    -> stem:   ConvNorm(64, 7, stride = 2) -> relu -> maxpool(3, stride = 2)
    -> stage1: { Basic(64) -> Basic(64) }
    -> stage2: { Basic(128, stride = 2) -> Basic(128) }
    -> stage3: { Basic(256, stride = 2) -> Basic(256) }
    -> stage4: { Basic(512, stride = 2) -> Basic(512) }
    -> pool:   mean over [H, W]
    -> head:   Dense(1000)
}
