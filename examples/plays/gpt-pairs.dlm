dlm 1

use "./gpt.dlm" (Block)

let context = 256
let Width   = 128
let heads   = 2
let layers  = 4
let drop    = 0.2

/// The same plays in byte pairs: a token is 1 to a few letters.
data Pairs from text(
  "../../.data/plays/shakespeare-hamlet.txt",
  "../../.data/plays/shakespeare-caesar.txt",
  "../../.data/plays/shakespeare-macbeth.txt"
) {
  tokenize bpe(512) as Tokens
  window   64, target = next
  split    train = 90%, valid = 10%
}

let Tokens = Pairs.Tokens

model Gpt(text: int<Tokens>[B, T]) -> [B, T, Tokens]
  where T <= context
{
  text
    -> Embed(Width, init = normal(0.1)) -> dropout(drop)
    -> blocks: repeat layers { Block(heads, 544, context, drop) }
    -> norm: LayerNorm
    -> head: Dense(Tokens)
}

train Gpt on Pairs {
  loss       cross_entropy(out, next)
  optimizer  adamw(cosine(3e-3, warmup = 100, total = 6 * epoch), decay = 0.1)
  clip       1.0
  batch      16
  epochs     6
  keep       best, by = valid.loss
}

evaluate Gpt on Pairs.valid {
  metrics  loss, perplexity, accuracy
}

deploy Gpt {
  generate  text, max = context, sample = top_k(20, temperature = 0.8)
}
