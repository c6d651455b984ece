dlm 1

// First values of weights. Fan in is the number of inputs that an output is summed from, fan out the number of outputs
// that an input goes to. `normal`, `uniform`, `zeros`, `ones` and any number are first values too.

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

/// Normal with deviation sqrt(2 / (fan in + fan out)). Glorot, Bengio (2010)
fn glorot_normal(w: [..S, In, Out]) -> [..S, In, Out] {
  area = count(w) over [..S]
  normal(sqrt(2 / (area * (In + Out))), like = w)
}

/// Uniform within ±sqrt(6 / fan in), for layers that end in relu. He et al. (2015)
fn he_uniform(w: [..S, In, Out]) -> [..S, In, Out] {
  area  = count(w) over [..S]
  limit = sqrt(6 / (area * In))
  uniform(-limit, limit, like = w)
}

/// Columns at right angles to each other, or rows where there are fewer of them, each as long as `gain`; all such matrices are
/// equally likely. Of a kernel with more axes, all but the last one count as rows. Saxe, McClelland, Ganguli (2014)
fn orthogonal(gain = 1)(w: [..S, In, Out]) -> [..S, In, Out] {
  x = normal(1, like = w)
  // the orthogonal factor of a polar decomposition by the iteration of Newton and Schulz: each step makes a singular value s
  // to 1.5 * s - 0.5 * s ^ 3, which goes to 1 from any s below sqrt(3), and the first are below 1
  far = x / sqrt(sum(x * x) over [..S, In, Out])
  gain * (far -> repeat 40 { polar_step })
}

/// A step towards the matrix with orthogonal columns that is next.
fn polar_step(x: [..S, In, Out]) -> [..S, In, Out] {
  angles = dot(x, x -> [..S, In, Out] => [..S, In, Other=Out]) over [..S, In]
  1.5 * x - 0.5 * (dot(x, angles -> [Out, Other] => [Out, Other]) over Out)
}

/// Normal numbers of this deviation of which those beyond two deviations are left out (torch.nn.init.trunc_normal_ with
/// a = -2 * std and b = 2 * std); what is left has 0.8796 times the deviation.
fn truncated_normal(deviation = 1)(w: [..]) -> [..]
  where 0 <= deviation
{
  // erf(sqrt(2)) is the chance to lie within two deviations; the inverse of erf by Giles (2012), within w < 5
  x = uniform(-0.9544997361036416, 0.9544997361036416, like = w)
  t = -log((1 - x) * (1 + x)) - 2.5
  p4 = 0.00021858087 +
    t *
    (-4.39150654e-6 + t * (-3.5233877e-6 + t * (3.43273939e-7 + t * 2.81022636e-8)))
  p = 1.50140941 + t * (0.246640727 + t * (-0.00417768164 + t * (-0.00125372503 + t * p4)))
  max(min(1.4142135623730951 * p * x, 2), -2) * deviation
}
