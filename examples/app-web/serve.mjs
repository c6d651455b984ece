// `npm run example:app-web`: serves this folder, and the compiled digits model as /model/. Any static server would do.
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, extname, join, normalize, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

const types = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".safetensors": "application/octet-stream",
};

/** With these, a page may share memory between threads. */
const isolated = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/** The file of an address; undefined where it would lie outside, or there is none. */
function fileOf(url, model) {
  const path = normalize(decodeURIComponent(new URL(url, "http://localhost").pathname));
  const [base, rest] = path.startsWith("/model/") ? [model, path.slice(7)] : [here, path];
  const file = resolve(join(base, rest.endsWith("/") ? `${rest}index.html` : rest));
  const inside = file.startsWith(resolve(base) + sep) && extname(file) in types;
  return inside && existsSync(file) && statSync(file).isFile() ? file : undefined;
}

/** Starts on the port (0: a free one) of this machine alone. `model` is the folder of the compiled model. */
export function serve(model, port) {
  const server = createServer((request, response) => {
    let file;
    try {
      file = fileOf(request.url ?? "/", model);
    } catch {
      // an address that does not decode names no file
    }
    if (file === undefined) {
      response.writeHead(404, { "content-type": "text/plain" }).end("not found\n");
      return;
    }
    response.writeHead(200, {
      "content-type": types[extname(file)],
      "cache-control": "no-cache",
      ...isolated,
    });
    createReadStream(file).pipe(response);
  });
  return new Promise((done, failed) => {
    server.once("error", failed);
    server.listen(port, "127.0.0.1", () => done(server));
  });
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const { compiledDigits } = await import("../digits/model.mjs");
  const server = await serve(compiledDigits(), Number(process.env.PORT ?? 8080));
  console.log(`http://localhost:${server.address().port}`);
}
