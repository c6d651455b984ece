/** drop, fill, split, shuffle and categories. */
import { describe, expect, test } from "vitest";
import { categoriesOf, checkedIds } from "../src/data/categories.ts";
import { readCsv } from "../src/data/csv.ts";
import { firstEqualRows, sharedRows } from "../src/data/equal-rows.ts";
import { type Plan, prepare } from "../src/data/prepare.ts";
import { threefry } from "../runtime/random.ts";
import { shuffled } from "../src/data/random.ts";
import { type Column, type Table } from "../src/data/table.ts";
import { complaint } from "./support/complaint.ts";

const csv = (text: string): Table => readCsv(new TextEncoder().encode(text), "t.csv");
const rowsUpTo = (count: number): Int32Array => Int32Array.from({ length: count }, (_, row) => row);
const numbered = (rows: number, given?: Table["given"]): Table => ({
  rows,
  columns: [{ kind: "number", name: "n", dtype: "i32", shape: [], data: rowsUpTo(rows) }],
  parts: [{ file: "n.npy", rows }],
  ...(given ? { given } : {}),
});
const plan = (rest: Partial<Plan>): Plan => ({
  drop: { missing: false, duplicates: false },
  fill: {},
  split: undefined,
  ...rest,
});
type Parts = NonNullable<Plan["split"]>["parts"];
const splitBy = (parts: Parts, seed = 0, shuffle = true): Partial<Plan> => ({
  split: { parts, seed, shuffle },
});
const run = (table: Table, rest: Partial<Plan>) => prepare(table, table.columns, plan(rest));
const part = (value: number) => ({ kind: "fraction", value }) as const;
const count = (value: number) => ({ kind: "count", value }) as const;

describe("Threefry", () => {
  test.each([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [-1, -1],
      [-1, -1],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ])("key %j, counter %j: the known answer of Random123", (key, counter, answer) => {
    const drawn = new Uint32Array(2);
    threefry(key[0]!, key[1]!, counter[0]!, counter[1]!, drawn);
    expect([...drawn]).toEqual(answer);
  });

  test("a shuffle is a permutation, repeatable, and differs by seed, stream and epoch", () => {
    const rows = rowsUpTo(1000);
    const first = shuffled(rows, 7, "epoch", 1);
    expect([...first].sort((a, b) => a - b)).toEqual([...rows]);
    expect(shuffled(rows, 7, "epoch", 1)).toEqual(first);
    for (const other of [
      shuffled(rows, 8, "epoch", 1),
      shuffled(rows, 7, "split", 1),
      shuffled(rows, 7, "epoch", 2),
    ]) {
      expect(other.filter((row, at) => row === first[at]).length).toBeLessThan(12);
    }
    const some = first.filter((row) => row % 3 === 0);
    expect(
      shuffled(
        rows.filter((row) => row % 3 === 0),
        7,
        "epoch",
        1,
      ),
    ).toEqual(some);
  });
});

describe("splits", () => {
  const sizes = (table: Table, parts: Parts, seed = 0) => {
    const { splits } = run(table, splitBy(parts, seed));
    const all = [...splits.train, ...splits.valid, ...splits.test];
    expect(new Set(all).size).toBe(all.length);
    return [splits.train.length, splits.valid.length, splits.test.length];
  };
  const given = { kind: "given" } as const;
  const rest = { kind: "rest" } as const;

  test("parts of 100 % use every row once, whatever the number of rows", () => {
    for (let rows = 0; rows < 40; rows++) {
      const [train, valid, test] = sizes(
        numbered(rows),
        { train: part(0.8), valid: part(0.1), test: part(0.1) },
        7,
      );
      expect(train! + valid! + test!).toBe(rows);
      expect(Math.abs(train! - 0.8 * rows)).toBeLessThanOrEqual(0.5);
    }
    expect(sizes(numbered(1797), { train: part(0.7), valid: part(0.1), test: part(0.2) })).toEqual([
      1258, 180, 359,
    ]);
  });

  test("given rows stay where they are and the others are shared out", () => {
    const table = numbered(70, { train: [0, 60], test: [60, 70] });
    expect(sizes(table, { train: count(55), valid: count(5), test: given })).toEqual([55, 5, 10]);
    expect(sizes(table, { train: rest, valid: part(0.1), test: given })).toEqual([54, 6, 10]);
    expect(sizes(table, { train: rest })).toEqual([70, 0, 0]);
    expect(sizes(table, { train: part(0.5), valid: part(0.5) })).toEqual([35, 35, 0]);
    expect(run(table, {}).splits).toMatchObject({
      train: { length: 60 },
      valid: { length: 0 },
      test: { length: 10 },
    });
    expect(run(numbered(5), {}).splits.train).toHaveLength(5);
    const { splits } = run(table, splitBy({ train: count(50), test: given }));
    expect([...splits.test]).toEqual([60, 61, 62, 63, 64, 65, 66, 67, 68, 69]);
    expect([...splits.train]).toEqual([...splits.train].sort((a, b) => a - b));
  });

  test("a split follows from the seed; without shuffle rows are taken in order", () => {
    const table = numbered(100);
    const train = (seed: number) => run(table, splitBy({ train: part(0.5) }, seed)).splits.train;
    expect(train(1)).toEqual(train(1));
    expect(train(1)).not.toEqual(train(2));
    const { splits } = run(numbered(5), splitBy({ train: count(2), test: rest }, 1, false));
    expect([[...splits.train], [...splits.test]]).toEqual([
      [0, 1],
      [2, 3, 4],
    ]);
  });

  test.each<[string, Parts, string]>([
    [
      "over 100 %",
      { train: part(0.8), valid: part(0.2), test: part(0.1) },
      "n.npy: the splits (train = 80%, valid = 20%, test = 10%) need 11 rows, there are 10",
    ],
    [
      "too many",
      { train: count(8), test: count(3) },
      "n.npy: the splits (train = 8, test = 3) need 11 rows, there are 10",
    ],
    ["given where it is not", { test: given }, "n.npy: the source gives no split test"],
    ["negative", { train: part(-0.5) }, "n.npy: train = -50% is no part of the rows"],
    ["half a row", { train: count(2.5) }, "n.npy: train = 2.5 is no part of the rows"],
  ])("%s is refused", (_, parts, message) => {
    expect(complaint(() => run(numbered(10), splitBy(parts)))).toBe(message);
  });
});

describe("drop and fill", () => {
  const missing = { missing: true, duplicates: false };

  test("drop missing looks at the declared columns that nothing fills", () => {
    const table = csv("a,b,c\n1,x,1\n,y,2\n3,,3\n4,z,\n");
    const [a, b, c] = table.columns as [Column, Column, Column];
    const rows = (columns: Column[], fill: Plan["fill"] = {}) => {
      const prepared = prepare(table, columns, plan({ drop: missing, fill }));
      return [[...prepared.splits.train], prepared.dropped.missing];
    };
    expect(rows([a, b, c])).toEqual([[0], 3]);
    expect(rows([a, b])).toEqual([[0, 3], 2]);
    expect(rows([a, b], { a: { with: "value", value: 0 } })).toEqual([[0, 1, 3], 1]);
  });

  test("drop duplicates keeps the first of equal rows", () => {
    const table = csv("a,b\n1,x\n1,y\n1,x\n,x\n,x\n1,x\n");
    const prepared = run(table, { drop: { missing: true, duplicates: true } });
    expect([...prepared.splits.train]).toEqual([0, 1]);
    expect(prepared.dropped).toEqual({ missing: 2, duplicates: 2 });
  });

  test("equal arrays are found, and rows that two splits share", () => {
    const data = Float32Array.of(1, 2, 3, 4, 1, 2, 1, 3);
    const column: Column = { kind: "array", name: "x", dtype: "f32", shape: [2], data };
    const firsts = firstEqualRows({ rows: 4, columns: [column], parts: [] }, [column]);
    expect([...firsts]).toEqual([0, 1, 0, 3]);
    expect([...sharedRows(firsts, Int32Array.of(2, 3), Int32Array.of(0, 1))]).toEqual([2]);
  });

  test("means and medians are those of the train split", () => {
    const table: Table = {
      rows: 6,
      columns: [
        { kind: "number", name: "x", dtype: "f64", shape: [], data: Float64Array.of(1, 2, NaN, 6, 100, NaN) },
      ],
      parts: [{ file: "x.npy", rows: 6 }],
      given: { train: [0, 4], test: [4, 6] },
    };
    const fill = (how: "mean" | "median") => run(table, { fill: { x: { with: how } } });
    expect([...fill("mean").columns[0]!.data]).toEqual([1, 2, 3, 6, 100, 3]);
    expect(fill("median").fills).toEqual(new Map([["x", 2]]));
    expect([...(table.columns[0]!.data as Float64Array)]).toEqual([1, 2, NaN, 6, 100, NaN]);
  });

  test("what cannot be filled or stays missing is refused with its place", () => {
    const table = csv("a,b\n1,x\n,y\n3,\n");
    const [a, b] = table.columns as [Column, Column];
    const attempt = (columns: Column[], fill: Plan["fill"] = {}) =>
      complaint(() => prepare(table, columns, plan({ fill })));
    expect(attempt([a])).toBe(
      "t.csv:3:a: the value is missing; `drop missing` leaves such rows out, `fill` sets a value",
    );
    expect(attempt([b], { b: { with: "mean" } })).toBe("t.csv:b: texts have no mean");
    expect(attempt([a], { a: { with: "value", value: "?" } })).toBe(
      't.csv:a: "?" cannot fill a column of numbers',
    );
    expect(attempt([b], { b: { with: "value", value: "none" } })).toBe("no error");
  });
});

describe("categories", () => {
  const table = csv("c,n,f\nb,10,1\na,9,1.5\nB,10,2\nq,11,3\n");
  const [c, n, f] = table.columns as [Column, Column, Column];
  const some = Int32Array.of(0, 1, 2);
  const all = rowsUpTo(4);

  test("names are the sorted distinct values of the train split", () => {
    expect(categoriesOf(table, c, some, [some])).toEqual({
      names: ["B", "a", "b"],
      ids: Int32Array.of(2, 1, 0, -1),
    });
    expect(categoriesOf(table, n, all, [all])).toEqual({
      names: ["9", "10", "11"],
      ids: Int32Array.of(1, 0, 1, 2),
    });
  });

  test("declared names give ids by place; integers are ids already", () => {
    expect(categoriesOf(table, c, some, [all], ["q", "B", "a", "b"]).ids).toEqual(Int32Array.of(3, 2, 1, 0));
    expect(categoriesOf(table, n, some, [all], ["11", "10", "9"]).ids).toEqual(Int32Array.of(1, 2, 1, 0));
    const labels = csv("l\n1\n0\n");
    const named = categoriesOf(labels, labels.columns[0]!, rowsUpTo(2), [rowsUpTo(2)], ["cat", "dog"]);
    expect(named.ids).toEqual(Int32Array.of(1, 0));
  });

  test("values that are no category are refused with their place", () => {
    expect(complaint(() => categoriesOf(table, c, some, [all]))).toBe(
      't.csv:5:c: "q" is not among the categories of the train split (B, a, b)',
    );
    expect(complaint(() => categoriesOf(table, f, all, [all]))).toBe(
      "t.csv:3:f: 1.5 is no category: these are texts or integers",
    );
    expect(complaint(() => categoriesOf(table, n, all, [all], ["cat", "dog"]))).toBe(
      "t.csv:2:n: label 10 does not exist in int<2>: labels run from 0 to 1",
    );
    expect(complaint(() => checkedIds(table, n, 11, [all]))).toBe(
      "t.csv:5:n: label 11 does not exist in int<11>: labels run from 0 to 10",
    );
    const gap = csv("a,b\nx,1\n,2\n");
    expect(complaint(() => categoriesOf(gap, gap.columns[0]!, rowsUpTo(2), [rowsUpTo(2)]))).toBe(
      "t.csv:3:a: the category is missing",
    );
  });
});
