dlm 1

data Mnist from idx("../../.data/mnist/") {
  input  image : u8[H=28, W=28, C=1]
  target label : category("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")

  split  train = 60_000, test = given
}

let Z = 64

/// Makes an image out of noise, from -1 (black) to 1 (white): 237,313 weights.
model Generator(z: [B, Z]) -> [B, H=28, W=28, C=1] {
  z
    -> Dense(7 * 7 * 64) -> [B, (H=7 W=7 C)] => [B, H, W, C]
    -> BatchNorm -> relu
    -> Upconv(32, 4, stride = 2, bias = false) -> BatchNorm -> relu
    -> Upconv(1, 4, stride = 2) -> tanh
}

/// Tells real images from made ones: above 0 it believes that an image is real. 36,577 weights.
model Critic(image: [B, H=28, W=28, C=1]) -> [B] {
  image
    -> Conv(32, 4, stride = 2) -> leaky_relu(0.2)
    -> Conv(64, 4, stride = 2, bias = false) -> BatchNorm -> leaky_relu(0.2)
    -> flatten -> Dense(1) -> squeeze
}

train Gan on Mnist {
  real = image -> scale(2/255, shift = -1)
  fake = Generator(normal[B, Z])

  step Critic {
    loss       bce(Critic(real), 0.9) + bce(Critic(fake), 0)
    optimizer  adam(3e-4, beta1 = 0.5)
  }
  step Generator {
    loss       bce(Critic(fake), 1)
    optimizer  adam(3e-4, beta1 = 0.5)
  }

  average  ema(0.998)
  batch    64
  epochs   12
  sample   Generator(normal[64, Z]), every = 1 * epoch
}

deploy Generator {
  input  z = normal[B, Z]
}
