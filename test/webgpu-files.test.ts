/** What `dlmc compile --target` writes, run by a real headless Chromium with WebGPU; `dlmc check` across targets. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import chromium from "@sparticuz/chromium";
import { type Browser, chromium as playwright } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dlmc } from "./support/command-line.ts";
import { gpuEnvironment } from "./support/gpu.ts";

const folder = mkdtempSync(join(tmpdir(), "dlm-webgpu-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const program = `dlm 1

model Half(x: u8[B, H=6, W=6, C=1]) -> [B, Out=3] {
  x -> scale(1/16) -> Conv(4, 3) -> relu -> flatten -> dropout(0.2) -> Dense(3) -> softmax over last
}

check Half {
  same across = [wasm, webgpu], within = 1e-5
}
`;
writeFileSync(join(folder, "half.dlm"), program);
writeFileSync(join(folder, "both.dlm"), `${program}\ndeploy Half {\n  target webgpu, wasm\n}\n`);
mkdirSync(join(folder, "app"));

const files = (): string[] =>
  [".wasm", ".relaxed.wasm", ".wgsl.json", ".d.ts", ".js"].filter((ending) =>
    existsSync(join(folder, "app", `Half${ending}`)),
  );

describe("dlmc compile", () => {
  test("--target says what is written, and nothing is left of another target", async () => {
    const compile = (...words: string[]) =>
      dlmc(["compile", "half.dlm", "-o", "app", ...words], { cwd: folder });
    expect((await compile("--target", "both", "--no-relaxed")).status).toBe(0);
    expect(files()).toEqual([".wasm", ".wgsl.json", ".d.ts", ".js"]);
    expect((await compile("--target", "webgpu")).status).toBe(0);
    expect(files()).toEqual([".wgsl.json", ".d.ts", ".js"]);
    const types = readFileSync(join(folder, "app", "Half.d.ts"), "utf8");
    expect(types).toContain("device?: GpuDevice;");
    expect(types).toContain(
      "weights(options?: { optimizer?: boolean }): Promise<Map<string, Float32Array>>;",
    );
    expect((await compile()).status).toBe(0);
    expect(files()).toEqual([".wasm", ".relaxed.wasm", ".d.ts", ".js"]);
    expect(readFileSync(join(folder, "app", "Half.d.ts"), "utf8")).not.toContain("GPUDevice");
  }, 60_000);

  test("a deploy block says it too; --emit wgsl prints the shaders", async () => {
    expect((await dlmc(["compile", "both.dlm", "-o", "app"], { cwd: folder })).status).toBe(0);
    expect(files()).toEqual([".wasm", ".relaxed.wasm", ".wgsl.json", ".d.ts", ".js"]);
    const { out } = await dlmc(["compile", "half.dlm", "--emit", "wgsl"], { cwd: folder });
    expect(out).toContain("@compute @workgroup_size(");
    expect(existsSync(join(folder, "dist"))).toBe(false);
    for (const words of [
      ["--emit", "wgsl", "--target", "wasm"],
      ["--emit", "wat", "--target", "webgpu"],
      ["--threads", "--target", "webgpu"],
    ])
      // prettier-ignore
      expect((await dlmc(["compile", "half.dlm", ...words], { cwd: folder })).status).toBe(2);
  }, 60_000);
});

describe("dlmc check --run", () => {
  test("compares targets with the reference, and fails where there is no WebGPU", async () => {
    const found = await dlmc(["check", "--run", "half.dlm"], { cwd: folder, env: await gpuEnvironment() });
    expect(found.out).toMatch(/ok {6}same {6}\d+ tensors on wasm and webgpu/);
    expect(found.status).toBe(0);
    const none = await dlmc(["check", "--run", "half.dlm"], {
      cwd: folder,
      env: { VK_DRIVER_FILES: "/none", LD_LIBRARY_PATH: "" },
    });
    expect(none.err).toContain("WebGPU has no adapter here");
    expect(none.status).toBe(1);
  }, 60_000);
});

describe("in a page", () => {
  let server: Server;
  let browser: Browser;
  const types: Readonly<Record<string, string>> = { ".js": "text/javascript", ".json": "application/json", ".wasm": "application/wasm" }; // prettier-ignore

  beforeAll(async () => {
    server = createServer((request, response) => {
      const path = join(folder, "app", (request.url ?? "/").slice(1));
      if (request.url === "/") response.setHeader("content-type", "text/html").end("<!doctype html>");
      else if (!existsSync(path)) response.writeHead(404).end();
      else response.setHeader("content-type", types[extname(path)] ?? "text/plain").end(readFileSync(path));
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    browser = await playwright.launch({
      executablePath: await chromium.executablePath(),
      args: [
        "--no-sandbox",
        "--enable-unsafe-webgpu",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
      ],
    });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  test("a model runs on WebGPU as on wasm", async () => {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const found = (await page.evaluate(`(async () => {
      const { load } = await import("/Half.js");
      const x = Uint8Array.from({ length: 5 * 36 }, (_, i) => (i * 7) % 16);
      const gpu = await load({ seed: 3 });
      const wasm = await load({ seed: 3, target: "wasm" });
      const weights = await gpu.weights();
      wasm.setWeights(weights);
      const [a, b] = [await gpu.run({ x }), await wasm.run({ x })];
      const off = Math.max(...a.out.map((value, i) => Math.abs(value - b.out[i])));
      gpu.destroy();
      return { targets: [gpu.target, wasm.target], fallback: gpu.fallback, count: a.out.length, off };
    })()`)) as { targets: string[]; fallback: string | undefined; count: number; off: number };
    expect(found.fallback).toBeUndefined();
    expect(found.targets).toEqual(["webgpu", "wasm"]);
    expect(found.count).toBe(15);
    expect(found.off).toBeLessThan(1e-5);
    await page.close();
  }, 60_000);
});
