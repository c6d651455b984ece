dlm 1

// Blocks of transformers. `norm_first` normalises what goes into each part (Xiong et al., 2020: trains without warm-up); otherwise
// each sum is normalised (Vaswani et al., 2017; the default of torch.nn.TransformerEncoderLayer).

/// Two dense layers with an activation between them, for each position alone.
module FeedForward(Hidden, act = gelu, drop = 0, bias = true, init = glorot)(x: [.., D]) -> [.., D]
  where 0 <= drop, drop < 1
{
  x
    -> up: Dense(Hidden, bias = bias, init = init) -> act -> dropout(drop)
    -> down: Dense(D, bias = bias, init = init)
}

/// Attention of a sequence to itself, then two dense layers, each added to what goes in.
///
/// With `causal = true`, and `max` as the length of the longest sequence, it is the block of GPT; otherwise that of BERT. `groups`,
/// `causal`, `max`, `rotary` and `mask` are those of MultiHeadAttention, `norm` may be RMSNorm.
module TransformerEncoder(
  heads,
  Hidden,
  act = gelu,
  norm = LayerNorm,
  norm_first = true,
  drop = 0.1,
  groups = heads,
  causal = false,
  max = 0,
  rotary = false,
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
  look = MultiHeadAttention(
    heads,
    groups = groups,
    causal = causal,
    max = max,
    rotary = rotary,
    drop = drop,
    bias = bias,
    init = init
  )
  feed = FeedForward(Hidden, act = act, drop = drop, bias = bias, init = init)

  if norm_first {
    x -> residual { look_norm: norm -> look(_, mask) -> dropout(drop) }
      -> residual { feed_norm: norm -> feed -> dropout(drop) }
  } else {
    x -> residual { look(_, mask) -> dropout(drop) } -> look_norm: norm
      -> residual { feed -> dropout(drop) } -> feed_norm: norm
  }
}

/// Causal attention of a sequence to itself, attention to a memory (what an encoder made of another sequence), then two dense
/// layers, each added to what goes in. `max` is the length of the longest sequence, `mask` is false where
/// nothing looks at the memory.
module TransformerDecoder(
  heads,
  Hidden,
  max,
  act = gelu,
  norm = LayerNorm,
  norm_first = true,
  drop = 0.1,
  groups = heads,
  rotary = false,
  bias = true,
  init = glorot
)(x: [B, T, D], memory: [B, S, M], mask: bool[B, S] = true) -> [B, T, D]
  where 1 <= heads,
        heads divides D,
        1 <= groups,
        groups divides heads,
        1 <= max,
        0 <= drop,
        drop < 1
{
  look = MultiHeadAttention(
    heads,
    groups = groups,
    causal = true,
    max = max,
    rotary = rotary,
    drop = drop,
    bias = bias,
    init = init
  )
  cross = CrossAttention(heads, groups = groups, drop = drop, bias = bias, init = init)
  feed  = FeedForward(Hidden, act = act, drop = drop, bias = bias, init = init)

  if norm_first {
    x -> residual { look_norm: norm -> look -> dropout(drop) }
      -> residual { cross_norm: norm -> cross(_, memory, mask) -> dropout(drop) }
      -> residual { feed_norm: norm -> feed -> dropout(drop) }
  } else {
    x -> residual { look -> dropout(drop) } -> look_norm: norm
      -> residual { cross(_, memory, mask) -> dropout(drop) } -> cross_norm: norm
      -> residual { feed -> dropout(drop) } -> feed_norm: norm
  }
}
