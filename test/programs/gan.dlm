dlm 1

use "./fashion.dlm" (Fashion)

let Z = 64

model Generator(z: [B, Z]) -> [B, H=28, W=28, C=1] {
  z -> Dense(7 * 7 * 128) -> [B, (H=7 W=7 C)] => [B, H, W, C]
    -> BatchNorm -> relu
    -> Upconv(64, 4, stride = 2) -> BatchNorm -> relu
    -> Upconv(1, 4, stride = 2)  -> tanh
}

model Critic(image: [B, H=28, W=28, C=1]) -> [B] {
  image
    -> Conv(64, 4, stride = 2)  -> leaky_relu(0.2) -> dropout(0.3)
    -> Conv(128, 4, stride = 2) -> leaky_relu(0.2) -> dropout(0.3)
    -> flatten -> Dense(1) -> squeeze
}

train Gan on Fashion {
  real = image -> scale(2/255, shift = -1)
  fake = Generator(normal[B, Z])

  step Critic {
    loss       bce(Critic(real), 0.9) + bce(Critic(fake), 0)
    optimizer  adam(2e-4, beta1 = 0.5)
  }
  step Generator {
    loss       bce(Critic(fake), 1)
    optimizer  adam(2e-4, beta1 = 0.5)
  }

  batch   128
  epochs  30
  sample  Generator(normal[16, Z]), every = 1 * epoch
}

deploy Generator {
  target  webgpu, wasm
  input   z = normal[B, Z]
}
