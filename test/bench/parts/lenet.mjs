// The compiled LeNet-5 of examples/mnist, with weights: what cold start and sizes are measured on.
import { built, graphsOfRow } from "../own.mjs";

const { compiled } = await built("src/compile-program.js");
const { emitModel } = await built("src/emit/index.js");
const { load } = await built("runtime/index.js");
const { writeSafetensors } = await built("src/weights/safetensors.js");

const program = { program: "../../../examples/mnist/lenet.dlm" };

/** Writes what `dlmc compile --weights` would, with weights of a seed. */
export async function emitLeNet(folder) {
  const model = await load((await compiled(graphsOfRow(program, ["init", "infer"]))).strict.artifact, {
    seed: 1,
  });
  const shapes = new Map(model.manifest.weights.map(({ path, shape }) => [path, shape]));
  const tensors = new Map(
    [...model.weights()].map(([path, data]) => [path, { dtype: "f32", shape: shapes.get(path), data }]),
  );
  const { strict, relaxed } = await compiled(graphsOfRow(program, ["infer"]));
  emitModel(folder, { strict: strict.artifact, relaxed: relaxed.artifact }, writeSafetensors(tensors));
}

export function onnxLeNet(graph) {
  const conv = (x, from, to, pad) =>
    graph.node("Conv", [x, graph.weight(to, from, 5, 5), graph.weight(to)], {
      kernel_shape: [5, 5],
      pads: Array(4).fill(pad),
    });
  let x = graph.maxpool(graph.relu(conv("x", 1, 6, 2)), 2, 2);
  x = graph.maxpool(graph.relu(conv(x, 6, 16, 0)), 2, 2);
  x = graph.node("Flatten", [x], { axis: 1 });
  x = graph.relu(graph.dense(x, 400, 120));
  x = graph.relu(graph.dense(x, 120, 84));
  return { inputs: { x: [1, 1, 28, 28] }, output: graph.dense(x, 84, 10) };
}
