dlm 1

use "./char-lstm.dlm" (Plays)

let context = 128
let Width   = 128
let heads   = 4
let layers  = 4

let Chars = Plays.Chars

/// Radford et al. 2019, small: learned positions, normalisation first, the table of the tokens also scores them.
model Gpt(text: int<Chars>[B, T]) -> [B, T, Chars]
  where T <= context
{
  wte = Embed(Width)
  wpe = Embed(Width)

  wte(text) + wpe(position(T, max = context))
    -> dropout(0.1)
    -> blocks: repeat layers {
         TransformerEncoder(heads, 4 * Width, causal = true, max = context, drop = 0.1)
       }
    -> LayerNorm
    -> dot(wte.table) over Width
}

train Gpt on Plays {
  loss       cross_entropy(out, next)
  optimizer  adamw(cosine(1e-3, warmup = 50, total = 900), decay = 0.1)
  clip       1.0
  batch      32
  steps      900
  keep       best, by = valid.loss
}

deploy Gpt {
  generate  text, max = context, sample = top_k(20, temperature = 0.8)
}
