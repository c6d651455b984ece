dlm 1

use "./char-lstm.dlm" (Plays)

let context = 256
let Width   = 128
let heads   = 2
let layers  = 4
let drop    = 0.2

let Chars = Plays.Chars

/// What stood one place before; zeros before the first.
module Before(x: [B, T, D]) -> [B, T, D] {
  scan x over T with last = zeros[B, D] {
    before = last
    last   = x
    yield before
  }
}

/// Each number of a position mixed with that of the position before, in a proportion that is learned (the token shift of
/// Peng et al. 2023): pairs of characters are seen without attention.
module Mixed(x: [B, T, D]) -> [B, T, D] {
  weight part : [D] = 0.5

  before = x -> Before
  x + (before - x) * part
}

module Block(heads, Hidden, context, drop)(x: [B, T, D]) -> [B, T, D]
  where heads divides D, 1 <= context
{
  x
    -> residual {
         look_norm: LayerNorm -> look_mix: Mixed
           -> look: MultiHeadAttention(heads, causal = true, max = context, rotary = true)
           -> dropout(drop)
       }
    -> residual {
         feed_norm: LayerNorm -> feed_mix: Mixed -> feed: FeedForward(Hidden) -> dropout(drop)
       }
}

/// Radford et al. 2019, small, with rotary positions (Su et al. 2021) and mixed neighbours.
model Gpt(text: int<Chars>[B, T]) -> [B, T, Chars]
  where T <= context
{
  text
    -> Embed(Width, init = normal(0.1)) -> dropout(drop)
    -> blocks: repeat layers { Block(heads, 544, context, drop) }
    -> norm: LayerNorm
    -> head: Dense(Chars)
}

train Gpt on Plays {
  loss       cross_entropy(out, next)
  optimizer  adamw(cosine(6e-3, warmup = 100, total = 20 * epoch), decay = 0.1)
  clip       1.0
  batch      16
  epochs     20
  keep       best, by = valid.loss
}

evaluate Gpt on Plays.valid {
  metrics  loss, perplexity, accuracy
}

deploy Gpt {
  generate  text, max = context, sample = top_k(20, temperature = 0.8)
}
