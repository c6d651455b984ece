dlm 1

/// The blocks of gpt.dlm between a table of bytes and scores for the next byte.
model Decoder(text: int<256>[B, T]) -> [B, T, 256]
  where T <= 384
{
  text
    -> Embed(384)
    -> repeat 6 { TransformerEncoder(6, 4 * 384, drop = 0, causal = true, max = 384) }
    -> LayerNorm
    -> Dense(256)
}

deploy Decoder {
  generate  text, max = 384, sample = greedy
}
