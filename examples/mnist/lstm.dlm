dlm 1

use "./lenet.dlm" (Mnist)

/// A picture read row by row: 28 steps of 28 numbers.
model Rows(image: u8[B, H=28, W=28, C=1]) -> [B, Class=10] {
  image
    -> scale(1/255)
    -> [B, H, W, C] => [B, T=H, (W C)]
    -> Lstm(128)
    -> last_of over T
    -> Dense(10)
}

train Rows on Mnist {
  loss       cross_entropy(out, label)
  optimizer  adam(cosine(2e-3, total = 8 * epoch))
  clip       1.0
  batch      64
  epochs     8
  keep       best, by = valid.accuracy
}

evaluate Rows on Mnist.test {
  metrics  accuracy
  require  accuracy >= 98.6%
}
