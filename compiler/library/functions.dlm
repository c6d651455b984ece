dlm 1

// A pack called `Over` stands for the axes that the caller names with `over`.

// ---------------------------------------------------------------- statistics

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

// ---------------------------------------------------------------- losses

/// The mean squared difference.
fn mse(out: [..], target: [..]) -> [] {
  d = out - target
  mean(d * d) over [..]
}

/// The mean absolute difference.
fn mae(out: [..], target: [..]) -> [] {
  mean(abs(out - target)) over [..]
}

/// Squared for differences up to delta, linear beyond. Huber (1964)
fn huber(delta = 1)(out: [..], target: [..]) -> [] {
  d = abs(out - target)
  near = min(d, delta)
  mean(near * (d - 0.5 * near)) over [..]
}

/// The mean of -log softmax(logits)[label]; it takes logits, and applies softmax itself. `smooth` gives this part of the
/// target to all classes alike.
fn cross_entropy(smooth = 0)(logits: [.., Class], label: int<Class>[..]) -> [] {
  // distances from the largest logit, so that large logits keep their digits
  m = detach(max(logits) over Class)
  whole = log(sum(exp(logits - m)) over Class)
  right = (pick(logits, label) over Class) - m
  if smooth == 0 {
    mean(whole - right) over [..]
  } else {
    even = (mean(logits) over Class) - m
    mean(whole - (1 - smooth) * right - smooth * even) over [..]
  }
}

/// Binary cross-entropy of logits: the mean of -target * log p - (1 - target) * log (1 - p) with p = sigmoid(logits). It
/// takes logits, and applies sigmoid itself.
fn bce(logits: [..], target: [..]) -> [] {
  // -log p and -log (1 - p) by softplus: neither cancels, however sure the model is
  mean(target * softplus(-logits) + (1 - target) * softplus(logits)) over [..]
}

// ---------------------------------------------------------------- first values of weights

/// Uniform within ±sqrt(6 / (fan in + fan out)). Glorot, Bengio (2010)
fn glorot(w: [..S, In, Out]) -> [..S, In, Out] {
  area  = count(w) over [..S]
  limit = sqrt(6 / (area * (In + Out)))
  uniform(-limit, limit, like = w)
}

/// Normal with deviation sqrt(2 / fan in), for layers that end in relu. He et al. (2015)
fn he(w: [..S, In, Out]) -> [..S, In, Out] {
  area = count(w) over [..S]
  normal(sqrt(2 / (area * In)), like = w)
}
