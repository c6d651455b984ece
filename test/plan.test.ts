/** The memory plan: no two live buffers overlap at any size, little is wasted, everything is aligned and inside. */
import { describe, expect, test } from "vitest";
import * as dim from "../compiler/ir/dim.ts";
import { bytesOf } from "../compiler/ir/type.ts";
import { endOf, lifetimesOf, withoutFloors } from "../compiler/lower/plan-memory.ts";
import { makeProgram, memoryUse, target, tooLarge } from "../compiler/lower/program.ts";
import { evaluate } from "../compiler/reference/evaluate.ts";
import { executeEntry } from "../compiler/reference/execute.ts";
import type { Graph, Value } from "../compiler/ir/graph.ts";
import type { Buffer, EntryProgram, Program } from "../compiler/ir/kernel.ts";
import { randomTensor } from "./support/graphs.ts";
import * as nets from "./support/networks.ts";
import { random } from "./support/random.ts";

const { batch, inference, training } = nets;

/** Sizes: of the real networks, and of ones that the reference runs quickly. */
const mlp =
  (width: number) =>
  (net: nets.Net): Record<string, Value> => {
    const x = net.input("x", "f32", [batch, 3 * width]);
    const h = nets.dropout(net, nets.relu(net, nets.dense(net, x, 2 * width)), 0.25, 7);
    const h2 = nets.relu(net, nets.dense(net, h, width));
    const out = nets.dense(net, h2, 10);
    return { loss: nets.crossEntropy(net, out, net.input("k", "i32", [batch])), out };
  };

const cnn =
  (side: number) =>
  (net: nets.Net): Record<string, Value> => {
    const x = net.input("x", "f32", [batch, side, side, 1]);
    const h = nets.relu(net, nets.batchNorm(net, nets.conv(net, x, 32, 3, 1, 1), "norm0"));
    const h2 = nets.maxpool(net, nets.relu(net, nets.conv(net, h, 32, 3, 1, 1)), 2);
    const h3 = nets.maxpool(net, nets.relu(net, nets.conv(net, h2, 64, 3, 1, 1)), 2);
    const out = nets.dense(net, nets.flatten(net, h3), 10);
    return { loss: nets.crossEntropy(net, out, net.input("k", "i32", [batch])), out };
  };

type Make = (size: number) => (net: nets.Net) => Record<string, Value>;
const both = (make: Make, size: number): readonly Graph[] => [
  inference((net) => ({ out: make(size)(net)["out"]! })),
  training(make(size)),
];

const programs: readonly (readonly [string, Make, number, number])[] = [
  ["perceptron", mlp, 256, 16],
  ["convolutions", cnn, 28, 8],
];

const sizesOf = (n: number): Map<string, number> => new Map([["B", n]]);

function bytes(buffer: Buffer, sizes: ReadonlyMap<string, number>): number {
  return buffer.shape.reduce((n, size) => n * dim.evaluate(size, sizes), bytesOf[buffer.dtype]);
}

function place(program: Program, buffer: Buffer, sizes: ReadonlyMap<string, number>): number {
  return dim.evaluate(program.places.get(buffer)!, sizes);
}

/** Overlapping buffers may only hand over: the second begins in the step in which the first ends, at the same place. */
function overlaps(program: Program, entry: EntryProgram, sizes: ReadonlyMap<string, number>): string[] {
  const live = lifetimesOf(entry).map((l) => {
    const start = place(program, l.buffer, sizes);
    return { ...l, start, end: start + bytes(l.buffer, sizes) };
  });
  const found: string[] = [];
  for (const a of live)
    for (const b of live) {
      if (a === b || a.first > b.first || a.start >= b.end || b.start >= a.end || a.last < b.first) continue;
      const handsOver = a.last === b.first && a.start === b.start && a.first < b.first;
      if (!handsOver) found.push(`${a.buffer.name} and ${b.buffer.name}`);
    }
  return found;
}

describe.each(programs)("%s", (_, make, size, small) => {
  const graphs = (): readonly Graph[] => both(make, size);
  const { program } = makeProgram(graphs(), { plan: "tight", prepare: true });
  const kept = makeProgram(graphs(), { plan: "keep-all", prepare: true }).program;

  test.each([1, 2, 31, 32, 33, 1000])("at B = %d nothing overlaps, all is aligned and inside", (n) => {
    const sizes = sizesOf(n);
    for (const each of [program, kept])
      for (const entry of each.entries) {
        expect(overlaps(each, entry, sizes)).toEqual([]);
        const end = dim.evaluate(each.bytes.get(entry)!, sizes);
        for (const { buffer } of lifetimesOf(entry)) {
          const start = place(each, buffer, sizes);
          expect(start % target.freeAlignment).toBe(0);
          expect(start).toBeGreaterThanOrEqual(each.sharedBytes);
          expect(start + bytes(buffer, sizes)).toBeLessThanOrEqual(end);
        }
      }
  });

  test("keep-all shares nothing", () => {
    for (const entry of kept.entries) {
      const sizes = sizesOf(3);
      const ranges = lifetimesOf(entry)
        .map(({ buffer }) => [place(kept, buffer, sizes), bytes(buffer, sizes)] as const)
        .sort(([a], [b]) => a - b);
      ranges
        .slice(1)
        .forEach(([start], i) => expect(ranges[i]![0] + ranges[i]![1]).toBeLessThanOrEqual(start));
    }
  });

  test.each([1, 32, 64])("at B = %d the arena is at most 1.2 times what lives at once", (n) => {
    const sizes = sizesOf(n);
    for (const entry of program.entries) {
      const live = lifetimesOf(entry);
      let most = 0;
      for (let step = -1; step <= endOf(entry); step++) {
        const now = live.filter((l) => l.first <= step && step <= l.last);
        // one place for a buffer and the one that takes over from it
        const ranges = new Map(now.map((l) => [place(program, l.buffer, sizes), bytes(l.buffer, sizes)]));
        most = Math.max(
          most,
          [...ranges.values()].reduce((a, b) => a + b, 0),
        );
      }
      const arena = dim.evaluate(program.bytes.get(entry)!, sizes) - program.sharedBytes;
      expect(arena / Math.max(most, 1), entry.name).toBeLessThanOrEqual(1.2);
    }
  });

  test("entries run in their arenas: the places hold what the graph means", () => {
    const n = 2;
    const sizes = sizesOf(n);
    const graphs = both(make, small);
    const { program } = makeProgram(graphs, { plan: "tight", prepare: true });
    for (const graph of graphs) {
      const entry = program.entries.find((e) => e.name === graph.name)!;
      const bytesOfAll = program.entries.map((e) => dim.evaluate(program.bytes.get(e)!, sizes));
      const arena = new Float64Array(Math.max(...bytesOfAll)).fill(NaN);
      const memory = {
        of(buffer: Buffer): Float64Array {
          if (buffer.kind.kind === "constant") return buffer.kind.value.data;
          // as many numbers as bytes, so that an overlap is an overlap
          const start = place(program, buffer, sizes);
          return arena.subarray(start, start + bytes(buffer, sizes) / bytesOf[buffer.dtype]);
        },
      };
      const r = random(3);
      const inputs = new Map(
        graph.inputs.map((value) => {
          const name = "name" in value.source ? value.source.name : "";
          const range = /optimizer.v|variance|step/.test(name) ? ([1, 2] as const) : ([-0.1, 0.1] as const);
          const made = randomTensor(r, value.type, sizes, range);
          if (name === "k") made.data.forEach((x, i) => (made.data[i] = Math.abs(x) % 3));
          return [name, made] as const;
        }),
      );
      const prepare = program.entries.filter((e) => e.name === "prepare");
      for (const each of [...prepare, entry]) {
        for (const { name, buffer } of each.inputs) {
          const values = inputs.get(name)?.data;
          if (values) memory.of(buffer).set(values);
        }
        executeEntry(each, sizes, memory);
      }
      const expected = evaluate(graph, inputs, sizes);
      const near = (what: string, found: Float64Array, wanted: Float64Array): void => {
        const scale = wanted.reduce((m, x) => Math.max(m, Math.abs(x)), 1);
        const worst = wanted.reduce((m, x, i) => Math.max(m, Math.abs(x - found[i]!)), 0);
        expect(worst, what).toBeLessThanOrEqual(1e-12 * scale);
      };
      for (const { name, buffer } of entry.outputs)
        near(name, memory.of(buffer), expected.outputs.get(name)!.data);
      for (const [name, value] of expected.writes)
        near(name, memory.of(entry.inputs.find((i) => i.name === name)!.buffer), value.data);
    }
  });
});

describe("what is said of memory", () => {
  const { program } = makeProgram(both(cnn, 28), { plan: "tight", prepare: true });
  test("the largest buffers are named, and states are updated in place", () => {
    const uses = memoryUse(program, () => sizesOf(32));
    const train = uses.find(({ entry }) => entry === "train")!;
    expect(train.copied).toEqual([]);
    expect(train.largest[0]!.bytes).toBe(32 * 28 * 28 * 32 * 4);
  });
  test("more than 4 GiB is refused with the entry that needs it", () => {
    expect(tooLarge(program, () => sizesOf(64))).toBeUndefined();
    expect(tooLarge(program, () => sizesOf(100_000))?.entry).toBeDefined();
  });
});

test("bounds without floors are never smaller", () => {
  const h = dim.symbol("H");
  const sizes = [
    dim.floorDivide(h, dim.constant(2)),
    dim.ceilDivide(h, dim.constant(3)),
    dim.multiply(dim.floorDivide(dim.add(h, dim.one), dim.constant(2)), dim.multiply(h, dim.constant(6))),
    dim.subtract(dim.multiply(h, dim.constant(2)), dim.floorDivide(h, dim.constant(2))),
  ];
  for (const size of sizes)
    for (let n = 1; n < 40; n++) {
      const at = new Map([["H", n]]);
      const bound = withoutFloors(size);
      expect(bound.key).not.toContain("floor");
      expect(dim.evaluate(bound, at)).toBeGreaterThanOrEqual(dim.evaluate(size, at));
    }
});
