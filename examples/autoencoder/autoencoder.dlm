dlm 1

data Fashion from idx("../../.data/fashion/") {
  input image : u8[H=28, W=28, C=1]

  split train = 55_000, valid = 5_000, test = given
}

/// 784 numbers through a code of 32, and back.
model Autoencoder(image: u8[B, H=28, W=28, C=1]) -> [B, 784] {
  image
    -> scale(1/255)
    -> flatten
    -> encoder: { Dense(512) -> relu -> Dense(256) -> relu -> code: Dense(32) }
    -> decoder: { Dense(256) -> relu -> Dense(512) -> relu -> Dense(784) -> sigmoid }
}

train Autoencoder on Fashion {
  loss       mse(out, image -> scale(1/255) -> flatten)
  optimizer  adam(cosine(1e-3, total = 30 * epoch))
  batch      128
  epochs     30
  keep       best, by = valid.loss
}

evaluate Autoencoder on Fashion.test {
  metrics  loss
}
