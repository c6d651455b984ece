dlm 1

data Mnist from idx("../../.data/mnist/") {
  input   image : u8[H=28, W=28, C=1]
  target  label : category("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")

  augment shift(H, W, by = 2)
  split   train = 55_000, valid = 5_000, test = given
}

/// LeNet-5 (LeCun et al. 1998), with relu and max pooling: 61,706 weights.
model LeNet(image: u8[B, H=28, W=28, C=1]) -> [B, Class=10] {
  image
    -> scale(1/255)
    -> Conv(6, 5)               -> relu -> maxpool(2)
    -> Conv(16, 5, pad = valid) -> relu -> maxpool(2)
    -> flatten
    -> Dense(120) -> relu
    -> Dense(84)  -> relu
    -> Dense(10)
}

train LeNet on Mnist {
  loss       cross_entropy(out, label)
  optimizer  adam(cosine(2e-3, total = 20 * epoch))
  batch      128
  epochs     20
  keep       best, by = valid.accuracy
}

evaluate LeNet on Mnist.test {
  metrics  accuracy, f1(macro)
  report   confusion
  require  accuracy >= 99.05%
}
