dlm 1

let context = 256
let Width   = 384
let heads   = 6
let layers  = 6

data Stories from text("tinystories.txt") {
  tokenize bpe(4096) as Vocab
  window   context, target = next
  split    train = 98%, valid = 2%
}

let Vocab = Stories.Vocab

module Attention(heads, context)(x: [B, T, D]) -> [B, T, D]
  where heads divides D
{
  q, k, v = x -> qkv: Dense(3 * D) -> [B, T, (3 heads E)] => [3, B, heads, T, E]

  k = k -> cache(T as S, max = context)
  v = v -> cache(T as S, max = context)

  dot(q, k) over E
    -> / sqrt(E)
    -> mask(causal(T, S))
    -> softmax over S
    -> dropout(0.1)
    -> dot(v) over S
    -> [B, heads, T, E] => [B, T, (heads E)]
    -> out: Dense(D)
}

module Block(heads, context)(x: [B, T, D]) -> [B, T, D] {
  x -> residual { LayerNorm -> Attention(heads, context) -> dropout(0.1) }
    -> residual { LayerNorm -> Dense(4 * D) -> gelu -> Dense(D) -> dropout(0.1) }
}

model Gpt(text: int<Vocab>[B, T]) -> [B, T, Vocab]
  where T <= context
{
  wte = Embed(Width)
  wpe = Embed(Width)

  wte(text) + wpe(position(T, max = context))
    -> dropout(0.1)
    -> blocks: repeat layers { Block(heads, context) }
    -> LayerNorm
    -> dot(wte.table) over Width
}

train Gpt on Stories {
  loss       cross_entropy(out, next)
  optimizer  adamw(cosine(3e-4, warmup = 200, total = 5000), decay = 0.1)
  clip       1.0
  batch      32
  steps      5000
  precision  f16
  keep       best, by = valid.loss
}

evaluate Gpt on Stories.valid {
  metrics  perplexity
  require  perplexity < 12
}

deploy Gpt {
  target    webgpu, wasm
  weights   int8
  generate  text, max = context, sample = top_k(40, temperature = 0.8)
}
