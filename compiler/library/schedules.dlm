dlm 1

// Learning rates that change while training. Each is a function of the step, which counts from 1: an optimizer takes
// one in place of its rate, as in adam(cosine(1e-3, total = 12 * epoch)). With `warmup`, the first steps rise in a line
// from rate / warmup to rate, and the schedule begins after them.

/// The same rate at every step.
fn constant(rate, warmup = 0)(step: []) -> []
  where 0 <= rate, 0 <= warmup
{
  rate * min(step / max(warmup, 1), 1)
}

/// Multiplies the rate by `factor` after every `every` steps (torch.optim.lr_scheduler.StepLR).
fn stepwise(rate, every, factor = 0.1, warmup = 0)(step: []) -> []
  where 0 <= rate, 0 < every, 0 < factor, 0 <= warmup
{
  after = max(step - 1 - warmup, 0)
  rate * min(step / max(warmup, 1), 1) * exp(floor(after / every) * log(factor))
}

/// Falls smoothly, by `factor` in every `every` steps (torch.optim.lr_scheduler.ExponentialLR).
fn exponential(rate, every, factor = 0.1, warmup = 0)(step: []) -> []
  where 0 <= rate, 0 < every, 0 < factor, 0 <= warmup
{
  after = max(step - 1 - warmup, 0)
  rate * min(step / max(warmup, 1), 1) * exp(after / every * log(factor))
}

/// Falls in a line from rate to `least` after step `total`.
fn linear(rate, total, warmup = 0, least = 0)(step: []) -> []
  where 0 <= rate, 0 < total, 0 <= warmup, 0 <= least
{
  part = min(max(step - 1 - warmup, 0) / max(total - warmup, 1), 1)
  min(step / max(warmup, 1), 1) * (least + (rate - least) * (1 - part))
}

/// Falls along half a cosine from rate to `least` after step `total`, Loshchilov and Hutter 2017.
fn cosine(rate, total, warmup = 0, least = 0)(step: []) -> []
  where 0 <= rate, 0 < total, 0 <= warmup, 0 <= least
{
  part = min(max(step - 1 - warmup, 0) / max(total - warmup, 1), 1)
  min(step / max(warmup, 1), 1) * (least + (rate - least) * (1 + cos(3.141592653589793 * part)) / 2)
}

/// Rises along half a cosine from rate / divide to rate in the first part `rise` of the steps, then falls along another to
/// rate / divide / least at step `total`. Smith and Topin 2018 (torch.optim.lr_scheduler.OneCycleLR)
fn one_cycle(rate, total, rise = 0.3, divide = 25, least = 1e4)(step: []) -> []
  where 0 <= rate, 0 < total, 0 <= rise, rise <= 1, 1 <= divide, 1 <= least
{
  first = rate / divide
  last  = first / least
  peak  = max(rise * total - 1, 0)
  up    = min((step - 1) / max(peak, 1), 1)
  down  = min(max(step - 1 - peak, 0) / max(total - 1 - peak, 1), 1)
  // sin(x) ^ 2 is (1 - cos(2 * x)) / 2, and keeps its digits where it is small
  risen = sin(1.5707963267948966 * up)
  left  = sin(1.5707963267948966 * (1 - down))
  select(
    step - 1 <= peak,
    first + (rate - first) * risen * risen,
    last + (rate - last) * left * left
  )
}
