dlm 1

data Fashion from idx("../../.data/fashion/") {
  input  image : u8[H=28, W=28, C=1]
  target label : category("T-shirt", "Trouser", "Pullover", "Dress", "Coat",
                          "Sandal", "Shirt", "Sneaker", "Bag", "Boot")

  split  train = 55_000, valid = 5_000, test = given
}

/// The perceptron 256-128-100 of the data set's benchmark table.
model Mlp(image: u8[B, H=28, W=28, C=1]) -> [B, Class=10] {
  image
    -> scale(1/255)
    -> flatten
    -> Dense(256) -> relu -> dropout(0.2)
    -> Dense(128) -> relu -> dropout(0.1)
    -> Dense(100) -> relu
    -> Dense(10)
}

train Mlp on Fashion {
  loss       cross_entropy(out, label)
  optimizer  adam(cosine(1e-3, total = 15 * epoch))
  batch      128
  epochs     15
  keep       best, by = valid.accuracy
}

evaluate Mlp on Fashion.test {
  metrics  accuracy, f1(macro)
  report   confusion
  require  accuracy >= 88.3%
}
