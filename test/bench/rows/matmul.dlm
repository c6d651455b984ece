dlm 1

// Products of square matrices. The second one is a weight, of which panels are made once, or both come at run time.

model Constant256(x: [B, K=256]) -> [B, N=256] {
  x -> Dense(256, bias = false)
}

model Constant512(x: [B, K=512]) -> [B, N=512] {
  x -> Dense(512, bias = false)
}

model Constant1024(x: [B, K=1024]) -> [B, N=1024] {
  x -> Dense(1024, bias = false)
}

model Given256(a: [M=256, K=256], b: [K=256, N=256]) -> [M=256, N=256] {
  dot(a, b) over K
}

model Given512(a: [M=512, K=512], b: [K=512, N=512]) -> [M=512, N=512] {
  dot(a, b) over K
}

model Given1024(a: [M=1024, K=1024], b: [K=1024, N=1024]) -> [M=1024, N=1024] {
  dot(a, b) over K
}
