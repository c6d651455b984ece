// jax-js on wasm. A row gives a function that makes one call and waits for it.
import { describedBy } from "../rows.mjs";

export async function start(peer) {
  const jax = await peer("@jax-js/jax");
  await jax.init("wasm");
  jax.defaultDevice("wasm");
  return {
    open: async (request) => (await describedBy(request)).peers["jax-js"](jax),
  };
}
