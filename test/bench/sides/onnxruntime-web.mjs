// onnxruntime-web on wasm, one thread. A row builds a graph of ONNX; the numbers are copied in and out at each call.
import { onnxGraph, random } from "../onnx-graph.mjs";
import { describedBy } from "../rows.mjs";

export async function start(peer) {
  const ort = await peer("onnxruntime-web/wasm");
  const { default: protocol } = await peer("onnx-proto");
  ort.env.wasm.numThreads = 1;
  let session;
  return {
    async open(request) {
      const graph = onnxGraph();
      const { inputs, output } = (await describedBy(request)).peers["onnxruntime-web"](graph);
      await session?.release();
      session = await ort.InferenceSession.create(graph.bytes(protocol.onnx, inputs, output), {
        executionProviders: ["wasm"],
      });
      const feeds = Object.fromEntries(
        Object.entries(inputs).map(([name, shape]) => [
          name,
          new ort.Tensor("float32", random(shape, 1), shape),
        ]),
      );
      return () => session.run(feeds);
    },
  };
}
