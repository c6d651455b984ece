// The blocks of a GPT in the words of peers, for the rows that run all positions or one with a cache: 6 blocks, 384 wide.
const layers = 6;
const width = 384;
const heads = 6;
const each = width / heads;

/** `cached` positions stand before `count` new ones; their keys and values are constants, which spares their copying. */
export function onnxBlocks(graph, count, cached) {
  const { node, linear, layerNorm, gelu, scalar, integers, weight, constant } = graph;
  const mask = new Float32Array(count * (cached + count));
  for (let i = 0; i < count; i++)
    mask.fill(-1e9, i * (cached + count) + cached + i + 1, (i + 1) * (cached + count));
  const hidden = count > 1 ? constant([1, 1, count, cached + count], mask) : undefined;
  /** [1, positions, width] to [1, heads, positions, each] */
  const apart = (x) =>
    node("Transpose", [node("Reshape", [x, integers(1, count, heads, each)])], { perm: [0, 2, 1, 3] });
  const all = (x) => (cached === 0 ? x : node("Concat", [weight(1, heads, cached, each), x], { axis: 2 }));
  let x = "x";
  for (let layer = 0; layer < layers; layer++) {
    const seen = layerNorm(x, width);
    const [q, k, v] = [0, 1, 2].map(() => apart(linear(seen, width, width)));
    const keys = node("Transpose", [all(k)], { perm: [0, 1, 3, 2] });
    let scores = node("Mul", [node("MatMul", [q, keys]), scalar(1 / Math.sqrt(each))]);
    if (hidden !== undefined) scores = node("Add", [scores, hidden]);
    const part = node("MatMul", [node("Softmax", [scores], { axis: -1 }), all(v)]);
    const together = node("Reshape", [
      node("Transpose", [part], { perm: [0, 2, 1, 3] }),
      integers(1, count, width),
    ]);
    x = node("Add", [x, linear(together, width, width)]);
    const inner = gelu(linear(layerNorm(x, width), width, 4 * width));
    x = node("Add", [x, linear(inner, 4 * width, width)]);
  }
  return layerNorm(x, width);
}

/** As onnxBlocks, as a function from [count, width] to the same. */
export function tfjsBlocks(tf, count, cached) {
  const weight = (...shape) => tf.randomNormal(shape, 0, 0.05);
  const linear = (from, to) => {
    const [kernel, shift] = [weight(from, to), weight(to)];
    return (x) => x.matMul(kernel).add(shift);
  };
  const norm = () => {
    const [scale, shift] = [tf.ones([width]), tf.zeros([width])];
    return (x) => {
      const { mean, variance } = tf.moments(x, -1, true);
      return x.sub(mean).mul(variance.add(1e-5).rsqrt()).mul(scale).add(shift);
    };
  };
  const hidden = tf.linalg
    .bandPart(tf.ones([count, cached + count]), -1, cached)
    .sub(1)
    .mul(1e9);
  const blocks = Array.from({ length: layers }, () => ({
    norms: [norm(), norm()],
    parts: [0, 1, 2].map(() => linear(width, width)),
    past: [0, 1].map(() => (cached === 0 ? undefined : weight(heads, cached, each))),
    out: linear(width, width),
    up: linear(width, 4 * width),
    down: linear(4 * width, width),
  }));
  const last = norm();
  const apart = (x) => x.reshape([count, heads, each]).transpose([1, 0, 2]);
  const all = (past, x) => (past ? tf.concat([past, x], 1) : x);
  return (given) => {
    let x = given;
    for (const { norms, parts, past, out, up, down } of blocks) {
      const seen = norms[0](x);
      const [q, k, v] = parts.map((part) => apart(part(seen)));
      let scores = tf.matMul(q, all(past[0], k), false, true).mul(1 / Math.sqrt(each));
      if (count > 1) scores = scores.add(hidden);
      const part = tf.matMul(scores.softmax(), all(past[1], v));
      x = x.add(out(part.transpose([1, 0, 2]).reshape([count, width])));
      const inner = up(norms[1](x));
      x = x.add(down(inner.mul(inner.mul(Math.SQRT1_2).erf().add(1)).mul(0.5)));
    }
    return last(x);
  };
}

export { layers, width };
