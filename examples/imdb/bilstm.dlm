dlm 1

/// 25,000 film reviews to learn from and as many to measure; of each the last 200 words.
data Reviews from json("../../.data/imdb/train.jsonl", test = "../../.data/imdb/test.jsonl") {
  input    review    : text
  target   sentiment : category("negative", "positive")

  tokenize words(20_000) as Words
  window   200, keep = last, pad = before
  split    train = 90%, valid = 10%, test = given, seed = 1
}

let Words = Reviews.Words

/// The last step of each direction has seen all words; filled up before, a short review ends where a long one does.
model Sentiment(review: int<Words>[B, T=200]) -> [B, Class=2] {
  words = review -> Embed(128)
  ahead = words -> forward: Lstm(64) -> last_of over T
  back  = flip(words) over T -> backward: Lstm(64) -> last_of over T

  concat(ahead, back) -> dropout(0.5) -> Dense(2)
}

train Sentiment on Reviews {
  loss       cross_entropy(out, sentiment)
  optimizer  adam(1e-3)
  batch      32
  epochs     2
  keep       best, by = valid.accuracy
}

evaluate Sentiment on Reviews.test {
  metrics  accuracy, loss, roc_auc(one_vs_rest)
  report   confusion
  require  accuracy >= 81.5%
}

deploy Sentiment {
  output  softmax(out) over Class
}
