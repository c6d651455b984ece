dlm 1

data Fashion from idx("../../.data/fashion/") {
  input image : u8[H=28, W=28, C=1]

  split train = 55_000, valid = 5_000, test = given
}

/// Kingma, Welling: Auto-encoding variational Bayes (2014). The code is a normal distribution of 32 independent numbers; in
/// training one of its points is decoded, otherwise its middle.
model Vae(image: u8[B, H=28, W=28, C=1]) -> (
  pixels: [B, 784],
  middle: [B, Code=32],
  spread: [B, Code=32]
) {
  hidden = image -> scale(1/255) -> flatten -> encoder: { Dense(512) -> relu -> Dense(256) -> relu }
  middle = hidden -> Dense(32)
  // the logarithm of the variance
  spread = hidden -> Dense(32)

  code = if training { middle + exp(0.5 * spread) * normal(like = middle) } else { middle }
  pixels = code -> decoder: { Dense(256) -> relu -> Dense(512) -> relu -> Dense(784) }
  (pixels = pixels, middle = middle, spread = spread)
}

train Vae on Fashion {
  target = image -> scale(1/255) -> flatten

  // nats of one picture, and what its code tells beyond a standard normal one
  loss       fit = 784 * bce(out.pixels, target),
             code = mean(
               0.5 * sum(exp(out.spread) + out.middle ^ 2 - 1 - out.spread) over Code
             ) over B
  optimizer  adam(cosine(1e-3, total = 10 * epoch))
  batch      128
  epochs     10
}

evaluate Vae on Fashion.test {
  metrics  loss
}
