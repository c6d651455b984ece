/**
 * WGSL on a device: every declaration of the library, by the table in support/library-items.ts, every op's examples and
 * random programs, each kernel against the bounds of its instructions; and every form of kernels.
 */
import { describe, expect, test } from "vitest";
import { graphBuilder } from "../compiler/ir/builder.ts";
import { tensorType } from "../compiler/ir/type.ts";
import type { Form } from "../compiler/lower/forms.ts";
import { ops } from "../compiler/ops/index.ts";
import { inputsOf } from "./support/item-inputs.ts";
import { onWgsl } from "./support/intervals.ts";
import { outOfBounds } from "./support/kernel-bounds.ts";
import { libraryGraphs } from "./support/library-graph.ts";
import { items, type Item } from "./support/library-items.ts";
import { seedOfRun } from "./support/random.ts";
import { randomProgram } from "./support/random-program.ts";
import { testPrograms } from "./support/test-programs.ts";
import { differences } from "./support/wasm-graph.ts";
import { gpuEntries } from "./support/wgsl-entries.ts";

const rows = 3;

async function expectBounds(item: Item, form?: Form): Promise<void> {
  const { forward, gradient } = libraryGraphs(item.model, item.phase);
  const graphs = item.noGradient === undefined ? [forward, gradient] : [forward];
  const sizes = new Map([
    ["B", rows],
    ...Object.entries(item.sizes ?? {}).map(([name, all]) => [name, all.at(-1)!] as const),
  ]);
  const gpu = await gpuEntries(graphs, sizes, form);
  for (const graph of graphs) {
    const run = await gpu.run(graph.name, inputsOf(item, graph, sizes), sizes);
    expect(outOfBounds(run, onWgsl), graph.name).toEqual([]);
  }
  gpu.destroy();
}

describe("library", () => {
  for (const item of items) test(item.name, () => expectBounds(item));
});

/** Small ones of each kind: sums, rows, tiles in memory, contractions with batches and windows, scattered rows. */
const forms: Readonly<Record<Exclude<Form, "invocations">, readonly string[]>> = {
  workgroups: ["softmax", "logsumexp", "cross_entropy", "ctc", "Lstm"],
  tiles: ["Dense", "Conv", "Bilinear"],
};

describe.each(Object.keys(forms) as (keyof typeof forms)[])("all kernels as %s", (form) => {
  for (const name of forms[form]) {
    const item = items.find((each) => each.name === name)!;
    test(name, () => expectBounds(item, form));
  }
});

test("examples of ops, in one program", async () => {
  const cases = ops.flatMap((op) =>
    op.examples.map(({ operands, attributes }, n) => {
      const b = graphBuilder();
      const values = operands.map((t, i) => b.input(`x${i}`, "input", tensorType(t.dtype, t.shape)));
      const results = b.node(op, values, attributes);
      const outputs = results.map((value, i) => ({ name: `r${i}`, value }));
      const graph = b.finish({ name: `${op.name}.${n}`, dims: [], outputs, writes: [] });
      return { graph, inputs: new Map(operands.map((t, i) => [`x${i}`, t])) };
    }),
  );
  const gpu = await gpuEntries(
    cases.map(({ graph }) => graph),
    new Map(),
  );
  for (const { graph, inputs } of cases)
    expect(
      differences(graph, await gpu.run(graph.name, inputs, new Map()), inputs, new Map(), 4e-7),
      graph.name,
    ).toEqual([]);
  gpu.destroy();
});

const first = seedOfRun();

describe(`random programs from seed ${first}`, () => {
  testPrograms(
    first,
    50,
    "wgsl-library",
    (seed) => ({ gradient: seed % 3 !== 0 }),
    async (seed) => {
      const { graph, inputs, sizes } = randomProgram(seed, { gradient: seed % 3 !== 0 });
      const gpu = await gpuEntries([graph], sizes);
      const run = await gpu.run(graph.name, inputs, sizes);
      // a division by what may be 0 has no bound
      expect(outOfBounds(run, onWgsl).filter((line) => !line.endsWith("has no bound"))).toEqual([]);
      gpu.destroy();
    },
  );
});
