dlm 1

/// A convolution for each channel by itself, then one that mixes the channels at each place.
module Apart(Out, stride = 1)(x: [B, H, W, In]) -> [B, _, _, Out] {
  x -> Depthwise(3, stride = stride) -> relu -> Conv(Out, 1) -> relu
}

/// Howard et al. 2017, Table 1, with the normalisations folded into the convolutions.
model MobileNet(photo: [B, H=224, W=224, C=3]) -> [B, Class=1000] {
  photo
    -> Conv(32, 3, stride = 2) -> relu
    -> Apart(64)
    -> Apart(128, stride = 2) -> Apart(128)
    -> Apart(256, stride = 2) -> Apart(256)
    -> Apart(512, stride = 2) -> repeat 5 { Apart(512) }
    -> Apart(1024, stride = 2) -> Apart(1024)
    -> mean over [H, W]
    -> Dense(1000)
}
