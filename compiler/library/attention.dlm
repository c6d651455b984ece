dlm 1

/// For each query the mean of the values, weighted by the softmax of query times key / sqrt(E). Keys that are not `seen` weigh
/// nothing, unless no key is. Vaswani et al. (2017)
fn attention(drop = 0)(
  q: [B, G, R, T, E],
  k: [B, G, S, E],
  v: [B, G, S, F],
  seen: bool[B, S] = true
) -> [B, G, R, T, F]
  where 0 <= drop, drop < 1
{
  (dot(q, k) over E) / sqrt(E) -> mask(seen) -> softmax over S -> dropout(drop) -> dot(v) over S
}

/// As attention, but no query looks at a key after it, whatever is seen. A step program knows how many keys came before.
fn causal_attention(drop = 0)(
  q: [B, G, R, T, E],
  k: [B, G, S, E],
  v: [B, G, S, F],
  seen: bool[B, S] = true
) -> [B, G, R, T, F]
  where 0 <= drop, drop < 1
{
  // what is not seen still outweighs what comes later, so that a query that sees nothing looks at what was before it
  (
    dot(q, k) over E
  ) /
    sqrt(E)
    -> select(seen, _, -1e9)
    -> mask(causal(T, S))
    -> softmax over S
    -> dropout(drop)
    -> dot(v) over S
}

/// Turns each pair of features by its position times an angle, so that the product of two vectors depends on how far apart
/// they are. Feature i goes with feature i + E / 2, and its angle is base ^ (-2 i / E) (GPT-NeoX, Llama). Su et al. (2021)
fn rotary_embedding(base = 10_000)(x: [.., T, E]) -> [.., T, E]
  where 2 divides E, 0 < base
{
  Half  = E / 2
  a, b  = x -> [.., T, (2 Half)] => [2, .., T, Half]
  speed = exp(float(position(Half)) * (-log(base) / Half))
  angle = (float(position(T)) -> expand(Half, at = 1)) * speed
  concat(a * cos(angle) - b * sin(angle), b * cos(angle) + a * sin(angle)) over Half
}

/// Adds a learned vector for each position up to `max`, as GPT and BERT do.
module LearnedPosition(max, init = normal(0.02))(x: [B, T, D]) -> [B, T, D]
  where 1 <= max
{
  weight table : [max, D] ~ init
  x + table[position(T, max = max)]
}

/// Attention of a sequence to itself in `heads` parallel parts of D / heads features each. Vaswani et al. (2017)
///
/// With `causal = true` a position sees only itself and those before; `max` is then the length of the longest sequence, for
/// which a step program keeps keys and values. `groups` below `heads` shares each key and value among heads / groups
/// queries (Ainslie et al., 2023; 1 is multi-query attention). `rotary = true` makes the scores depend on distances. `drop` is
/// the dropout of the weights. No position looks where `mask` is false: `text != 0` leaves out what fills up a row. Without
/// `groups` and `rotary` it is torch.nn.MultiheadAttention with batch_first (whose key_padding_mask is `not mask`).
module MultiHeadAttention(
  heads,
  groups = heads,
  causal = false,
  max = 0,
  rotary = false,
  drop = 0,
  bias = true,
  init = glorot
)(x: [B, T, D], mask: bool[B, T] = true) -> [B, T, D]
  where 1 <= heads,
        heads divides D,
        1 <= groups,
        groups divides heads,
        not causal or 1 <= max,
        0 <= drop,
        drop < 1
{
  E    = D / heads
  Each = heads / groups
  q = x -> query: Dense(D, bias = bias, init = init)
    -> [B, T, (groups Each E)] => [B, groups, Each, T, E]
  k = x
    -> key: Dense(groups * E, bias = bias, init = init)
    -> [B, T, (groups E)] => [B, groups, T, E]
  v = x -> value: Dense(groups * E, bias = bias, init = init)
    -> [B, T, (groups E)] => [B, groups, T, E]

  turned = if rotary { rotary_embedding(q) } else { q }
  keys   = if rotary { rotary_embedding(k) } else { k }
  y = if causal {
    causal_attention(drop)(
      turned,
      keys -> cache(T as S, max = max),
      v -> cache(T as S, max = max),
      mask -> cache(T as S, max = max)
    )
  } else {
    attention(drop)(
      turned,
      keys -> [B, groups, T, E] => [B, groups, S=T, E],
      v -> [B, groups, T, E] => [B, groups, S=T, E],
      mask
    )
  }
  y -> [B, groups, Each, T, E] => [B, T, (groups Each E)] -> out: Dense(D, bias = bias, init = init)
}

/// Attention of a sequence to another one, the memory: as MultiHeadAttention, with keys and values from the memory, which
/// `mask` is about.
module CrossAttention(heads, groups = heads, drop = 0, bias = true, init = glorot)(
  x: [B, T, D],
  memory: [B, S, M],
  mask: bool[B, S] = true
) -> [B, T, D]
  where 1 <= heads, heads divides D, 1 <= groups, groups divides heads, 0 <= drop, drop < 1
{
  E    = D / heads
  Each = heads / groups
  q = x -> query: Dense(D, bias = bias, init = init)
    -> [B, T, (groups Each E)] => [B, groups, Each, T, E]
  k = memory -> key: Dense(groups * E, bias = bias, init = init)
    -> [B, S, (groups E)] => [B, groups, S, E]
  v = memory -> value: Dense(groups * E, bias = bias, init = init)
    -> [B, S, (groups E)] => [B, groups, S, E]

  attention(drop)(q, k, v, mask)
    -> [B, groups, Each, T, E] => [B, T, (groups Each E)] -> out: Dense(D, bias = bias, init = init)
}
