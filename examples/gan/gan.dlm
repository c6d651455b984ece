dlm 1

data Mnist from idx("../../.data/mnist/") {
  input  image : u8[H=28, W=28, C=1]
  target label : category("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")

  split  train = 60_000, test = given
}

let Z = 64

/// Makes an image of a digit out of noise, from -1 (black) to 1 (white): 287,649 weights.
model Generator(z: [B, Z], digit: int<10>[B]) -> [B, H=28, W=28, C=1] {
  concat(z, digit -> Embed(16, init = normal(1)))
    -> Dense(7 * 7 * 64) -> [B, (H=7 W=7 C)] => [B, H, W, C]
    -> BatchNorm -> relu
    -> Upconv(32, 4, stride = 2, bias = false) -> BatchNorm -> relu
    -> Upconv(1, 4, stride = 2) -> tanh
}

/// Tells real images from made ones, `real` is above 0 where it believes that an image is real, and which digit it sees: 67,947 weights.
model Critic(image: [B, H=28, W=28, C=1]) -> (real: [B], digit: [B, 10]) {
  seen = image
    -> Conv(32, 4, stride = 2) -> leaky_relu(0.2)
    -> Conv(64, 4, stride = 2, bias = false) -> BatchNorm -> leaky_relu(0.2)
    -> flatten

  (real = seen -> Dense(1) -> squeeze, digit = seen -> dropout(0.3) -> Dense(10))
}

/// The critic learns the classes too, and the generator to be seen as what it was asked for (Odena, Olah, Shlens 2017). Two images of
/// one digit are to differ where their noise does (after Mao et al. 2019), as far as real ones do: 0.2 a pixel.
train Gan on Mnist {
  real  = image -> scale(2/255, shift = -1)
  fake  = Generator(normal[B, Z], label)
  other = Generator(normal[B, Z], label)

  step Critic {
    loss       real = bce(Critic(real).real, 0.9), fake = bce(Critic(fake).real, 0),
               digit = cross_entropy(Critic(real).digit, label)
    optimizer  adam(3e-4, beta1 = 0.5)
  }
  step Generator {
    loss       fooled = bce(Critic(fake).real, 1), digit = cross_entropy(Critic(fake).digit, label),
               alike = 20 * (mean(relu(0.2 - (mean(abs(fake - other)) over [H, W, C]))) over B)
    optimizer  adam(3e-4, beta1 = 0.5)
  }

  average  ema(0.998)
  batch    64
  epochs   4
  sample   Generator(normal[100, Z], argmax(normal[100, 10]) over last), every = 1 * epoch
}

deploy Generator {
  input  z = normal[B, Z]
}
