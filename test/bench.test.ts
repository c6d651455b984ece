/** The benchmark: its rows are sound, and a short run of it measures, judges and writes what it found. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { evaluate } from "../compiler/ir/dim.ts";
import { contractionFlops } from "../compiler/ops/contraction-flops.ts";

interface Row {
  readonly name: string;
  readonly file: string;
  readonly program: string;
  readonly entry?: string;
  readonly sizes?: Readonly<Record<string, number>>;
  readonly max?: Readonly<Record<string, number>>;
  readonly peers: Readonly<Record<string, unknown>>;
  readonly atLeast: Readonly<Record<string, number>>;
  readonly aim: Readonly<Record<string, number>>;
}

const root = join(import.meta.dirname, "..");
const rows: readonly Row[] = await (await import("./bench/rows.mjs" as string)).allRows();
const { graphsOfRow } = await import("./bench/own.mjs" as string);
const { measures, verdictsOf } = await import("./bench/measures.mjs" as string);

const bench = (...args: string[]): { readonly status: number | null; readonly out: string } => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["test/bench/bench.mjs", ...args], {
    cwd: root,
    encoding: "utf8",
  });
  return { status, out: stdout + stderr };
};

test("every row has a name of its own, a program with its sizes, and targets that can be measured", () => {
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  for (const row of rows) {
    const { name, entry = "infer", sizes = {}, max = {}, peers, atLeast, aim } = row;
    const { graph } = graphsOfRow(row, [entry]).entries.find(
      (each: { readonly graph: { readonly name: string } }) => each.graph.name === entry,
    );
    const dims = graph.dims.map((dim: { readonly name: string }) => dim.name);
    for (const size of Object.keys({ ...sizes, ...max })) expect(dims, name).toContain(size);
    for (const measure of Object.keys({ ...atLeast, ...aim }))
      expect(Object.keys(measures), name).toContain(measure);
    for (const peer of ["tfjs", "torch", "jax-js"])
      if (peer in atLeast) expect(peers, name).toHaveProperty(peer);
    const { torch } = peers;
    const [make] = Array.isArray(torch) ? (torch as string[]) : [];
    if (make !== undefined)
      expect(readFileSync(join(root, `test/bench/rows/${row.file}.py`), "utf8"), name).toContain(
        `\ndef ${make}(`,
      );
  }
});

test("a product counts two operations for each of its positions", () => {
  const row = rows.find(({ name }) => name === "matmul 256, given")!;
  const [{ graph }] = graphsOfRow(row, ["infer"]).entries;
  expect(contractionFlops(graph.nodes, (size) => evaluate(size, new Map()))).toBe(2 * 256 ** 3);
});

test("a target says what was found, and what is better", () => {
  const result = {
    time: 2,
    strict: 3,
    peers: new Map([
      ["onnxruntime-web", 5],
      ["torch", 1],
    ]),
    gflops: 40,
    peak: 50,
    opening: [9, 7, 2.2],
    steps: 100,
    largestFunction: 4000,
  };
  const row = {
    name: "row",
    atLeast: { wasm: 2, torch: 0.9, peak: 0.8, step: 25 },
    aim: { wasm: 3, step: 20 },
  };
  const found = verdictsOf(row, result).map((each: Record<string, unknown>) => [
    each["measure"],
    each["holds"],
    each["reachesAim"],
    `${each["found"] as string}; ${each["limit"] as string}`,
  ]);
  expect(found).toEqual([
    ["strict", false, undefined, "1.50 x the relaxed time without relaxed SIMD; at most 1.45"],
    ["strict against wasm", true, undefined, "1.67 x the best wasm peer without relaxed SIMD; at least 1.00"],
    ["second", false, undefined, "3.50 x the median for the second call; at most 3.00"],
    ["function", true, undefined, "4000 bytes of the largest function; at most 65536"],
    ["wasm", true, false, "2.50 x the best wasm peer; at least 2.00"],
    ["torch", false, undefined, "0.50 x torch; at least 0.90"],
    ["peak", true, undefined, "80 % of the micro-kernel's peak; at least 80"],
    ["step", true, true, "20 us a step; at most 25"],
  ]);
});

test("a short run measures both twins and the ceiling, and writes JSON", () => {
  const folder = mkdtempSync(join(tmpdir(), "dlmc-"));
  const file = join(folder, "bench.json");
  try {
    const { status, out } = bench(
      ...["--only", "mlp batch 1,size", "--against", "none", "--rounds", "1", "--time", "5", "--json", file],
    );
    expect([0, 1], out).toContain(status);
    const found = JSON.parse(readFileSync(file, "utf8"));
    expect(found.rows).toHaveLength(1);
    const [{ name, sides, ceiling, flops, facts }] = found.rows;
    expect(name).toBe("MLP, batch 1");
    expect(flops).toBe(2 * (784 * 512 + 512 * 256 + 256 * 10));
    for (const side of ["dlmc", "strict"]) {
      expect(sides[side].opening.length).toBeGreaterThan(0);
      expect(Math.min(...sides[side].times)).toBeGreaterThan(0);
    }
    for (const part of ["peak", "strict", "copy", "read"]) expect(ceiling[part].length).toBeGreaterThan(0);
    expect(facts.largestFunction).toBeLessThan(65536);
    expect(found.parts[0].results.page).toBeLessThan(20_000);
    expect(out).toContain("to best wasm peer");
    expect(out).toMatch(/(holds|FAILS|AIM {2}) {2}MLP, batch 1: \d+ % of the read bandwidth; at least 85/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("wrong usage is told in a sentence, with status 2", () => {
  expect(bench("--against", "numpy")).toEqual({
    status: 2,
    out: "there is no peer numpy, only onnxruntime-web, tfjs, jax-js, torch\n",
  });
  expect(bench("--rounds", "0", "--against", "none").out).toBe("--rounds wants a whole number above 0\n");
});
