dlm 1

use "../cifar/blocks.dlm" (Basic, ConvNorm)

data Fashion from idx("../../.data/fashion/") {
  input   image : u8[H=28, W=28, C=1]
  target  label : category("T-shirt", "Trouser", "Pullover", "Dress", "Coat",
                           "Sandal", "Shirt", "Sneaker", "Bag", "Boot")

  augment flip(W, chance = 50%), shift(H, W, by = 2)
  split   train = 58_000, valid = 2_000, test = given
}

/// Four stages of residual blocks.
model Residual(image: u8[B, H=28, W=28, C=1]) -> [B, Class=10] {
  image
    -> scale(2/255, shift = -1)
    -> stem:   ConvNorm(32) -> relu
    -> stage1: Basic(48, stride = 2)
    -> stage2: Basic(96, stride = 2)
    -> stage3: Basic(192, stride = 2)
    -> mean over [H, W] -> dropout(0.2)
    -> head:   Dense(10)
}

train Residual on Fashion {
  loss       cross_entropy(out, label)
  optimizer  sgd(one_cycle(0.1, total = 12 * epoch), momentum = 0.9, nesterov = true)
  penalty    l2(2.5e-4)
  batch      64
  epochs     12
  keep       best, by = valid.accuracy
}

evaluate Residual on Fashion.test {
  metrics  accuracy, precision(macro), recall(macro), f1(macro)
  report   confusion
  require  accuracy >= 93%
}
