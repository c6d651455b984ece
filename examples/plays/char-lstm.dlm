dlm 1

/// Hamlet, Julius Caesar and Macbeth, character by character.
data Plays from text(
  "../../.data/plays/shakespeare-hamlet.txt",
  "../../.data/plays/shakespeare-caesar.txt",
  "../../.data/plays/shakespeare-macbeth.txt"
) {
  tokenize chars as Chars
  window   128, target = next
  split    train = 90%, valid = 10%
}

let Chars = Plays.Chars

model CharLstm(text: int<Chars>[B, T]) -> [B, T, Chars] {
  text
    -> Embed(64)
    -> Lstm(256) -> dropout(0.3)
    -> Lstm(256) -> dropout(0.3)
    -> Dense(Chars)
}

train CharLstm on Plays {
  loss       cross_entropy(out, next)
  optimizer  adam(cosine(8e-3, warmup = 100, total = 20 * epoch))
  clip       1.0
  batch      16
  epochs     20
  keep       best, by = valid.loss
}

evaluate CharLstm on Plays.valid {
  metrics  loss, perplexity, accuracy
}

deploy CharLstm {
  generate  text, max = 2000, sample = temperature(0.7)
}
