dlm 1

/// The blocks of a GPT (Radford et al. 2019) without its table of tokens: 6 of them, 384 wide, 6 heads.
model Blocks(x: [B, T, D=384]) -> [B, T, D=384]
  where T <= 384
{
  x
    -> repeat 6 { TransformerEncoder(6, 4 * 384, drop = 0, causal = true, max = 384) }
    -> LayerNorm
}
