dlm 1

data Fashion from idx("../../.data/fashion/") {
  input   image : u8[H=28, W=28, C=1]
  target  label : category("T-shirt", "Trouser", "Pullover", "Dress", "Coat",
                           "Sandal", "Shirt", "Sneaker", "Bag", "Boot")

  augment flip(W, chance = 50%), shift(H, W, by = 2)
  split   train = 55_000, valid = 5_000, test = given
}

/// Two convolutions and two dense layers, 421,642 weights.
model Cnn(image: u8[B, H=28, W=28, C=1]) -> [B, Class=10] {
  image
    -> scale(1/255)
    -> Conv(32, 3) -> relu
    -> maxpool(2)
    -> Conv(64, 3) -> relu
    -> maxpool(2)
    -> flatten     -> dropout(0.5)
    -> Dense(128)  -> relu
    -> Dense(10)
}

train Cnn on Fashion {
  loss       cross_entropy(out, label)
  optimizer  adam(cosine(1e-3, total = 12 * epoch))
  batch      128
  epochs     12
  keep       best, by = valid.accuracy
}

evaluate Cnn on Fashion.test {
  metrics  accuracy, precision(macro), recall(macro), f1(macro), roc_auc(one_vs_rest)
  report   confusion
  require  accuracy >= 91%
}
