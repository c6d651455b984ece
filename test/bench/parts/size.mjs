// What a page fetches, by gzip -9.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { built } from "../own.mjs";
import { emitLeNet } from "./lenet.mjs";
import { inScratch } from "./scratch.mjs";

const packed = (bytes) => gzipSync(bytes, { level: 9 }).length;

export const size = {
  name: "size",
  run: () =>
    inScratch(async (folder) => {
      await emitLeNet(folder);
      const { runtimeText } = await built("generated/runtime.js");
      const file = (name) => packed(readFileSync(join(folder, name)));
      const module = file("LeNet.js");
      const [strict, relaxed] = [file("LeNet.wasm"), file("LeNet.relaxed.wasm")];
      const page = module + Math.max(strict, relaxed);
      const runtime = packed(Buffer.from(runtimeText));
      const results = { module, strict, relaxed, page, runtime };
      const target = (what, value, most) => ({
        found: `${what} ${value} bytes`,
        limit: `at most ${most}`,
        holds: value <= most,
        value,
      });
      return {
        results,
        lines: [
          `LeNet: ${module} bytes of JavaScript, ${strict} of strict or ${relaxed} of relaxed WebAssembly; the runtime alone ${runtime}`,
        ],
        targets: [target("LeNet", page, 20_000), target("the runtime", runtime, 6000)],
      };
    }),
};
