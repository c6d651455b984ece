dlm 1

// A pack called `Over` stands for the axes that the caller names with `over`.

/// The mean squared distance from the mean along axes (divided by n, not n - 1).
fn variance(x: [.., ..Over]) -> [..] {
  m = mean(x) over [..Over]
  d = x - m
  mean(d * d) over [..Over]
}

/// The square root of the variance. Where all numbers are the same it is 0, and so is its derivative.
fn deviation(x: [.., ..Over]) -> [..] {
  v = variance(x) over [..Over]
  select(v > 0, sqrt(select(v > 0, v, 1)), 0)
}

/// log(sum(exp(x))) along axes, without overflow.
fn logsumexp(x: [.., ..Over]) -> [..] {
  m = detach(max(x) over [..Over])
  log(sum(exp(x - m)) over [..Over]) + m
}

/// The Euclidean length along axes, without overflow. Where all numbers are 0 it is 0, and so is its derivative.
fn norm(x: [.., ..Over]) -> [..] {
  largest = detach(max(abs(x)) over [..Over])
  unit    = select(largest > 0, largest, 1)
  y       = x / unit
  squares = sum(y * y) over [..Over]
  unit * select(largest > 0, sqrt(select(largest > 0, squares, 1)), 0)
}

/// The cosine of the angle between a and b along axes; lengths below `eps` count as `eps`.
fn cosine_similarity(eps = 1e-8)(a: [.., ..Over], b: [.., ..Over]) -> [..]
  where 0 <= eps, eps < 1
{
  u = a / max(norm(a) over [..Over], eps)
  v = b / max(norm(b) over [..Over], eps)
  sum(u * v) over [..Over]
}
