// TensorFlow.js on wasm, one thread. A row gives a function whose tensor is read back, or a promise that is awaited.
import { join } from "node:path";
import { describedBy } from "../rows.mjs";

export async function start(peer, peers) {
  const tf = await peer("@tensorflow/tfjs");
  const { setWasmPaths, setThreadsCount } = await peer("@tensorflow/tfjs-backend-wasm");
  setThreadsCount(1);
  setWasmPaths(`${join(peers, "node_modules/@tensorflow/tfjs-backend-wasm/wasm-out")}/`);
  await tf.setBackend("wasm");
  await tf.ready();
  return {
    async open(request) {
      const { peers: graphs, resident } = await describedBy(request);
      tf.disposeVariables();
      const call = graphs.tfjs(tf);
      return async () => {
        tf.engine().startScope();
        const result = call();
        tf.engine().endScope(result instanceof tf.Tensor ? result : []);
        if (!(result instanceof tf.Tensor)) return result;
        if (!resident) await result.data();
        result.dispose();
      };
    },
  };
}
