// The two networks as ONNX models with random weights, as onnxruntime reads them. Kernels are laid out as ONNX has them.
function random(count, scale) {
  return Float32Array.from({ length: count }, () => (Math.random() * 2 - 1) * scale);
}

const FLOAT = 1;
const INT = 2;
const INTS = 7;

/** Nodes and weights one after another; `build` gives the bytes of a model from `x` to the last value. */
function network() {
  const nodes = [];
  const weights = [];
  let count = 0;
  return {
    weight(dims) {
      const name = `w${count++}`;
      const data = random(
        dims.reduce((a, b) => a * b, 1),
        0.05,
      );
      weights.push({ name, dims, dataType: FLOAT, rawData: new Uint8Array(data.buffer) });
      return name;
    },
    node(opType, input, attributes = {}) {
      const output = `t${count++}`;
      const attribute = Object.entries(attributes).map(([name, value]) =>
        Array.isArray(value) ? { name, type: INTS, ints: value } : { name, type: INT, i: value },
      );
      nodes.push({ opType, input, output: [output], attribute });
      return output;
    },
    build(onnx, shape, output, outputShape) {
      const tensor = (name, dims) => ({
        name,
        type: { tensorType: { elemType: FLOAT, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
      });
      const graph = {
        name: "network",
        node: nodes,
        initializer: weights,
        input: [tensor("x", shape)],
        output: [tensor(output, outputShape)],
      };
      const opsetImport = [{ domain: "", version: 17 }];
      return onnx.ModelProto.encode(onnx.ModelProto.create({ irVersion: 8, opsetImport, graph })).finish();
    },
  };
}

function mlp(onnx, batch) {
  const net = network();
  let value = "x";
  let size = 784;
  for (const units of [512, 256, 10]) {
    value = net.node("Gemm", [value, net.weight([size, units]), net.weight([units])]);
    if (units !== 10) value = net.node("Relu", [value]);
    size = units;
  }
  return { shape: [batch, 784], bytes: net.build(onnx, [batch, 784], value, [batch, 10]) };
}

function cnn(onnx, batch) {
  const net = network();
  const conv = (value, from, to) =>
    net.node("Relu", [
      net.node("Conv", [value, net.weight([to, from, 3, 3]), net.weight([to])], {
        kernel_shape: [3, 3],
        pads: [1, 1, 1, 1],
        strides: [1, 1],
      }),
    ]);
  const pool = (value) => net.node("MaxPool", [value], { kernel_shape: [2, 2], strides: [2, 2] });
  const dense = (value, from, to) => net.node("Gemm", [value, net.weight([from, to]), net.weight([to])]);
  let value = pool(conv(conv("x", 1, 32), 32, 32));
  value = pool(conv(conv(value, 32, 64), 64, 64));
  value = net.node("Flatten", [value], { axis: 1 });
  value = net.node("Relu", [dense(value, 64 * 49, 128)]);
  value = dense(value, 128, 10);
  const shape = [batch, 1, 28, 28];
  return { shape, bytes: net.build(onnx, shape, value, [batch, 10]) };
}

/** `{ shape, bytes }` of a network (`mlp`, `cnn`) for one batch size; `onnx` is the protocol as onnx-proto exports it. */
export function onnxModel(onnx, name, batch) {
  return { mlp, cnn }[name](onnx, batch);
}
