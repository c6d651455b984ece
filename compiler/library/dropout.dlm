dlm 1

/// While training each element becomes 0 with chance `rate`, and the others grow so that the mean stays. Otherwise x.
fn dropout(rate)(x: [..]) -> [..]
  where 0 <= rate, rate < 1
{
  if training and rate > 0 { x * bernoulli(1 - rate, like = x) / (1 - rate) } else { x }
}

/// While training each channel of each row becomes 0 as a whole with chance `rate`, and the others grow so that the mean stays.
/// Otherwise x. Tompson et al. (2015), PyTorch's dropout2d.
fn channel_dropout(rate)(x: [B, ..S, C]) -> [B, ..S, C]
  where 0 <= rate, rate < 1
{
  if training { x * (bernoulli(1 - rate, like = zeros[B, C]) / (1 - rate)) } else { x }
}

/// While training each row becomes 0 as a whole with chance `rate`, and the others grow so that the mean stays; at the end of a
/// residual branch it leaves the branch out. Otherwise x. Huang et al.: Deep networks with stochastic depth (2016)
fn path_dropout(rate)(x: [B, ..S]) -> [B, ..S]
  where 0 <= rate, rate < 1
{
  if training { x * (bernoulli(1 - rate, like = zeros[B]) / (1 - rate)) } else { x }
}
