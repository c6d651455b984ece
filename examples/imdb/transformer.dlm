dlm 1

use "./bilstm.dlm" (Reviews)

let Words = Reviews.Words
let Width = 64

/// Attention in which no word looks at what fills up a row.
module Look(heads)(x: [B, T, D], word: bool[B, T]) -> [B, T, D]
  where heads divides D
{
  q, k, v = x -> qkv: Dense(3 * D) -> [B, T, (3 heads E)] => [3, B, heads, T, E]
  k = k -> [B, heads, T, E] => [B, heads, S=T, E]
  v = v -> [B, heads, T, E] => [B, heads, S=T, E]
  seen = word -> [B, T] => [B, S=T]

  (dot(q, k) over E) / sqrt(D / heads)
    -> mask(seen)
    -> softmax over S
    -> dot(v) over S
    -> [B, heads, T, E] => [B, T, (heads E)]
    -> out: Dense(D)
}

model Sentiment(review: int<Words>[B, T=200]) -> [B, Class=2] {
  word = review != 0
  look = Look(4)

  x = review
    -> Embed(Width) -> LearnedPosition(200) -> dropout(0.2)
    -> residual { LayerNorm -> look(_, word) -> dropout(0.2) }
    -> residual { LayerNorm -> FeedForward(2 * Width, drop = 0.2) }
    -> LayerNorm
  // the mean of the words alone
  kept = select(word, x, 0)
  (sum(kept) over T) / max(sum(word) over T, 1) -> dropout(0.3) -> Dense(2)
}

train Sentiment on Reviews {
  loss       cross_entropy(out, sentiment)
  optimizer  adam(1e-3)
  batch      32
  epochs     1
  keep       best, by = valid.accuracy
}

evaluate Sentiment on Reviews.test {
  metrics  accuracy, loss
  report   confusion
  require  accuracy >= 85%
}
