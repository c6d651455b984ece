dlm 1

// What training makes small. Each is the mean over all rows, a single number.

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
fn huber(delta = 1)(out: [..], target: [..]) -> []
  where 0 < delta
{
  d = abs(out - target)
  near = min(d, delta)
  mean(near * (d - 0.5 * near)) over [..]
}

/// The mean of -log softmax(logits)[label]; it takes logits, and applies softmax itself. `smooth` gives this part of the
/// target to all classes alike. Rows whose label is `ignore` (a class that fills up, say) are left out.
fn cross_entropy(smooth = 0, ignore = -1)(logits: [.., Class], label: int<Class>[..]) -> []
  where 0 <= smooth, smooth <= 1, floor(ignore) == ignore, ignore < Class
{
  // distances from the largest logit, so that large logits keep their digits
  m = detach(max(logits) over Class)
  whole = log(sum(exp(logits - m)) over Class)
  right = (pick(logits, label) over Class) - m
  rows = if smooth == 0 {
    whole - right
  } else {
    even = (mean(logits) over Class) - m
    whole - (1 - smooth) * right - smooth * even
  }
  if ignore < 0 {
    mean(rows) over [..]
  } else {
    kept = label != ignore
    (sum(select(kept, rows, 0)) over [..]) / max(sum(kept) over [..], 1)
  }
}

/// cross_entropy where each row counts as much as the weight of its class: the sum of weight * loss by the sum of the
/// weights (torch.nn.CrossEntropyLoss with weight).
fn weighted_cross_entropy(smooth = 0, ignore = -1)(
  logits: [.., Class],
  label: int<Class>[..],
  weights: [Class]
) -> []
  where 0 <= smooth, smooth <= 1, floor(ignore) == ignore, ignore < Class
{
  m = detach(max(logits) over Class)
  whole = log(sum(exp(logits - m)) over Class)
  right = (pick(logits, label) over Class) - m
  each = (weights * ones[Class])[label]
  share = if ignore < 0 { each } else { select(label != ignore, each, 0) }
  total = sum(share) over [..]
  rows = if smooth == 0 {
    share * (whole - right)
  } else {
    even = mean(weights * (whole - (logits - m))) over Class
    kept = if ignore < 0 { even } else { select(label != ignore, even, 0) }
    (1 - smooth) * share * (whole - right) + smooth * kept
  }
  (sum(rows) over [..]) / select(total > 0, total, 1)
}

/// Binary cross-entropy of logits: the mean of -target * log p - (1 - target) * log (1 - p) with p = sigmoid(logits). It
/// takes logits, and applies sigmoid itself.
fn bce(logits: [..], target: [..]) -> [] {
  // -log p and -log (1 - p) by softplus: neither cancels, however sure the model is
  mean(target * softplus(-logits) + (1 - target) * softplus(logits)) over [..]
}

/// bce in which rows that are right already count less: times (1 - p) ^ gamma, p the chance given to the target, and times
/// alpha for targets of 1, 1 - alpha for those of 0. Targets are 0 or 1. It takes logits, and applies sigmoid itself.
/// Lin et al. (2017)
fn focal(gamma = 2, alpha = 0.25)(logits: [..], target: [..]) -> []
  where 0 <= gamma, 0 <= alpha, alpha <= 1
{
  // -log p and -log (1 - p) of the target
  wrong = target * softplus(-logits) + (1 - target) * softplus(logits)
  right = target * softplus(logits) + (1 - target) * softplus(-logits)
  balance = alpha * target + (1 - alpha) * (1 - target)
  mean(balance * exp(-gamma * right) * wrong) over [..]
}

/// The divergence of Kullback and Leibler (1951) of softmax(logits) from the target, a distribution over the classes: the
/// mean over rows of the sum of target * log(target / softmax(logits)). It takes logits, and applies softmax itself.
fn kl(logits: [.., Class], target: [.., Class]) -> [] {
  m = detach(max(logits) over Class)
  d = logits - m
  whole = log(sum(exp(d)) over Class)
  known = target * log(select(target > 0, target, 1))
  mean(sum(known - target * (d - whole)) over Class) over [..]
}

/// The mean of max(0, margin - target * out), for targets of 1 and -1. Cortes, Vapnik (1995)
fn hinge(margin = 1)(out: [..], target: [..]) -> []
  where 0 < margin
{
  mean(max(margin - target * out, 0)) over [..]
}

/// Draws the directions of a and b together where the target is 1: 1 - cosine; apart where it is -1: what the cosine is
/// above the margin (torch.nn.CosineEmbeddingLoss).
fn cosine_embedding(margin = 0)(a: [.., D], b: [.., D], target: [..]) -> []
  where -1 <= margin, margin <= 1
{
  c = cosine_similarity(a, b) over D
  mean(select(target > 0, 1 - c, max(c - margin, 0))) over [..]
}

/// Draws a and b together where the target is 1: half their squared distance; apart where it is 0: half the square of what
/// their distance is below the margin. Hadsell, Chopra, LeCun (2006)
fn contrastive(margin = 1)(a: [.., D], b: [.., D], target: [..]) -> []
  where 0 < margin
{
  d = a - b
  near = sum(d * d) over D
  missing = max(margin - (norm(d) over D), 0)
  0.5 * (mean(select(target > 0.5, near, missing * missing)) over [..])
}

/// The anchor should be nearer to the positive than to the negative, by the margin: the mean of
/// max(0, |anchor - positive| - |anchor - negative| + margin). (torch.nn.TripletMarginLoss with eps = 0)
/// Balntas et al. (2016)
fn triplet(margin = 1)(anchor: [.., D], positive: [.., D], negative: [.., D]) -> []
  where 0 < margin
{
  near = norm(anchor - positive) over D
  far  = norm(anchor - negative) over D
  mean(max(near - far + margin, 0)) over [..]
}

/// Connectionist temporal classification: -log of the chance that the classes of the steps, each drawn by itself, give the
/// target when equal neighbours count once and blanks are left out. Class 0 is the blank; blanks in the target are left
/// out too, so they fill up a short one. Of a row the first `steps` steps count. A row is divided by the number of its
/// labels, and the mean over rows is taken, as torch.nn.CTCLoss has it; one with too few steps for its target (they need
/// one for each label, and one between equal labels) counts as 0, which is PyTorch's zero_infinity. It takes logits, and
/// applies softmax itself. Graves et al. (2006)
fn ctc(logits: [B, T, Class], target: int<Class>[B, L], steps: [B] = T) -> [] {
  // log 0, below all that logits come to; steps can be added to it
  none = -1e36
  K    = L
  S    = K + 1

  // the labels of a row without blanks, one_hot; zeros behind the last
  given  = target != 0
  rank   = dot(float(given) -> [B, L] => [B, K=L], float(causal(L, K))) over K
  moves  = select(given, float((rank -> expand(K, at = 2)) == float(position(K)) + 1), 0)
  label  = dot(moves, one_hot(target)) over L
  before = label -> pad(1, 0) over K -> crop(0, 1) over K
  again  = (sum(label * before) over Class) > 0
  length = sum(given) over L
  fits   = length + (sum(again) over K) <= min(steps, T)

  // of blank and labels at each step, distances from the largest logit; behind the last step all is blank, and one more
  // such step ends every way in a blank
  m      = detach(max(logits) over Class)
  near   = logits - m
  inside = (float(position(T)) -> expand(B, at = 0)) < steps
  blank  = select(inside, first(near) over Class, 0)
  labels = select(inside, dot(near, label) over Class, none)
  step   = concat(blank -> [B, T] => [B, T, 1], labels) -> pad(0, 1) over T
  whole  = sum(select(inside, log(sum(exp(near)) over Class), 0)) over T

  // the logarithm of the sum over all ways to the blank behind k labels, and to label k
  place = float(position(S)) -> expand(B, at = 0)
  edge  = zeros[B, 1] + none
  ways  = scan step over T with a = select(place == 0, 0, none), b = zeros[B, K] + none {
    left = concat(edge, b)
    stay = a -> crop(0, 1) over last
    leap = select(again, none, left -> crop(0, 1) over last)
    top  = detach(max(a, left))
    best = detach(max(max(b, stay), leap))
    a = top + log(exp(a - top) + exp(left - top)) + (first(step) over last)
    b = best +
      log(exp(b - best) + exp(stay - best) + exp(leap - best)) +
      (step -> crop(1, 0) over last)
  }
  rows = (whole - (sum(select(place == length, ways, 0)) over S)) / max(length, 1)
  mean(select(fits, rows, 0)) over B
}
