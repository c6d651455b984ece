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
    -> Lstm(256) -> dropout(0.2)
    -> Lstm(256) -> dropout(0.2)
    -> Dense(Chars)
}

train CharLstm on Plays {
  loss       cross_entropy(out, next)
  optimizer  rmsprop(2e-3)
  clip       5.0
  batch      32
  epochs     10
  keep       best, by = valid.loss
}

evaluate CharLstm on Plays.valid {
  metrics  loss, perplexity, accuracy
}

deploy CharLstm {
  generate  text, max = 2000, sample = temperature(0.7)
}
