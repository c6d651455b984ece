dlm 1

use "./blocks.dlm" (Basic, ConvNorm)

data Cifar from arrays("../../.data/cifar/") {
  input   image : u8[H=32, W=32, C=3]
  target  label : category("airplane", "automobile", "bird", "cat", "deer",
                           "dog", "frog", "horse", "ship", "truck")

  augment flip(W, chance = 50%), shift(H, W, by = 4)
  split   train = 45_000, valid = 5_000, test = given
}

/// Four stages of residual blocks.
model Residual(image: u8[B, H=32, W=32, C=3]) -> [B, Class=10] {
  image
    -> scale(2/255, shift = -1)
    -> stem:   ConvNorm(24) -> relu
    -> stage1: Basic(48, stride = 2)
    -> stage2: Basic(96, stride = 2)
    -> stage3: Basic(192, stride = 2)
    -> mean over [H, W]
    -> head:   Dense(10)
}

train Residual on Cifar {
  loss       cross_entropy(out, label)
  optimizer  sgd(one_cycle(0.1, total = 8 * epoch), momentum = 0.9, nesterov = true)
  penalty    l2(2.5e-4)
  batch      64
  epochs     8
  keep       best, by = valid.accuracy
}

evaluate Residual on Cifar.test {
  metrics  accuracy, precision(macro), recall(macro), f1(macro)
  report   confusion
  require  accuracy >= 79%
}
