dlm 1

/// 256 numbers in, 256 out, at each of 128 steps.
model Recurrent(x: [B, T=128, D=256]) -> [B, T=128, 256] {
  x -> Lstm(256)
}
