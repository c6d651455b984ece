dlm 1

// What runs along rows of 1,024 numbers.

model Softmax(x: [B, D=1024]) -> [B, D=1024] {
  softmax(x) over D
}

model Norm(x: [B, D=1024]) -> [B, D=1024] {
  x -> LayerNorm
}

model Gelu(x: [B, D=1024]) -> [B, D=1024] {
  gelu(x)
}
