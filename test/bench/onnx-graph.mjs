// Graphs of ONNX with random weights, as rows write them for onnxruntime.

export function random(shape, scale) {
  const count = shape.reduce((a, b) => a * b, 1);
  return Float32Array.from({ length: count }, () => (Math.random() * 2 - 1) * scale);
}

const FLOAT = 1;
const INT64 = 7;

/** An attribute of a node: a number with a fraction must be given as `{ float }`, as 1 is written as 1. */
function attributeOf([name, value]) {
  if (typeof value === "string") return { name, type: 3, s: new TextEncoder().encode(value) };
  if (Array.isArray(value)) return { name, type: 7, ints: value };
  return typeof value === "object" ? { name, type: 1, f: value.float } : { name, type: 2, i: value };
}

/** Nodes and constants one after another; every function gives the name of a value. */
export function onnxGraph() {
  const nodes = [];
  const constants = [];
  let count = 0;
  const constant = (dims, data) => {
    const name = `c${count++}`;
    const dataType = data instanceof Float32Array ? FLOAT : INT64;
    constants.push({ name, dims, dataType, rawData: new Uint8Array(data.buffer) });
    return name;
  };
  const graph = {
    constant,
    weight: (...dims) => constant(dims, random(dims, 0.05)),
    scalar: (value) => constant([], Float32Array.of(value)),
    integers: (...values) => constant([values.length], BigInt64Array.from(values, BigInt)),
    node(opType, input, attributes = {}) {
      const output = `t${count++}`;
      nodes.push({ opType, input, output: [output], attribute: Object.entries(attributes).map(attributeOf) });
      return output;
    },
    dense: (value, from, to) => graph.node("Gemm", [value, graph.weight(from, to), graph.weight(to)]),
    /** a dense layer along the last of several axes */
    linear: (value, from, to) =>
      graph.node("Add", [graph.node("MatMul", [value, graph.weight(from, to)]), graph.weight(to)]),
    relu: (value) => graph.node("Relu", [value]),
    /** a square window with as many zeros before as behind; kernels are laid out as ONNX has them */
    conv(value, from, to, size, { stride = 1, group = 1 } = {}) {
      const weights = [graph.weight(to, from / group, size, size), graph.weight(to)];
      return graph.node("Conv", [value, ...weights], {
        kernel_shape: [size, size],
        pads: Array(4).fill((size - 1) / 2),
        strides: [stride, stride],
        group,
      });
    },
    maxpool: (value, size, stride, pad = 0) =>
      graph.node("MaxPool", [value], {
        kernel_shape: [size, size],
        strides: [stride, stride],
        pads: Array(4).fill(pad),
      }),
    layerNorm: (value, size) =>
      graph.node("LayerNormalization", [value, graph.weight(size), graph.weight(size)], {
        axis: -1,
        epsilon: { float: 1e-5 },
      }),
    /** the exact one */
    gelu(value) {
      const erf = graph.node("Erf", [graph.node("Mul", [value, graph.scalar(Math.SQRT1_2)])]);
      const factor = graph.node("Add", [erf, graph.scalar(1)]);
      return graph.node("Mul", [graph.node("Mul", [value, factor]), graph.scalar(0.5)]);
    },
    /** a model from inputs, shapes by name, to one value */
    bytes(onnx, inputs, output) {
      const typed = (name, shape) => ({
        name,
        type: {
          tensorType: {
            elemType: FLOAT,
            ...(shape && { shape: { dim: shape.map((dimValue) => ({ dimValue })) } }),
          },
        },
      });
      const model = {
        irVersion: 8,
        opsetImport: [{ domain: "", version: 17 }],
        graph: {
          name: "network",
          node: nodes,
          initializer: constants,
          input: Object.entries(inputs).map(([name, shape]) => typed(name, shape)),
          output: [typed(output)],
        },
      };
      return onnx.ModelProto.encode(onnx.ModelProto.create(model)).finish();
    },
  };
  return graph;
}
