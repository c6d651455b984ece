/** Data blocks: what their lines become, and what is refused. */
import { describe, expect, test } from "vitest";
import type { Facts } from "../compiler/check/flow/facts.ts";
import { dataKey, needs, noFacts } from "../compiler/check/flow/facts.ts";
import { readData } from "../compiler/check/flow/data.ts";
import type { DataPlan } from "../compiler/check/flow/plans.ts";
import type { Diagnostic } from "../grammar/diagnostic.ts";
import { parse } from "../grammar/parse.ts";

const path = "houses.dlm";

function read(text: string, facts: Facts = noFacts): { plan: DataPlan; diagnostics: Diagnostic[] } {
  const parsed = parse({ path, text: `dlm 1\n\n${text}\n` });
  expect(parsed.diagnostics).toEqual([]);
  const declaration = parsed.file.declarations[0]!;
  if (declaration.kind !== "data") throw new Error("the text is no data block");
  const diagnostics: Diagnostic[] = [];
  const plan = readData(declaration, {
    facts,
    diagnose: (d) => diagnostics.push(d),
    isBroken: () => false,
    constant: (e) => (e.kind === "number" || e.kind === "percent" ? e.value : undefined),
  });
  return { plan, diagnostics };
}

const table = (lines: string): string => `data Houses from csv("houses.csv") {
  input rooms, age : number
  input sea : category
  target price : number
${lines}
}`;

const reviews = (lines: string): string => `data Reviews from json("reviews.json") {
  input review : text
  target good : category
${lines}
}`;

describe("data", () => {
  test("a table with a split", () => {
    const { plan, diagnostics } = read(
      table("  drop missing\n  split train = 80%, valid = 10%, test = 10%, seed = 7"),
    );
    expect(diagnostics).toEqual([]);
    expect(plan.reader).toMatchObject({ kind: "csv", path: "houses.csv", delimiter: "," });
    expect(plan.columns.map((c) => [c.name, c.role, c.kind, c.dtype])).toEqual([
      ["rooms", "input", "number", "f32"],
      ["age", "input", "number", "f32"],
      ["sea", "input", "category", "i32"],
      ["price", "target", "number", "f32"],
    ]);
    expect(plan.columns[2]!.classes).toEqual({
      names: undefined,
      size: undefined,
      dim: "Houses.sea",
      given: false,
    });
    expect(plan.drop).toEqual({ missing: true, duplicates: false });
    expect(plan.split).toEqual({
      parts: {
        train: { kind: "fraction", value: 0.8 },
        valid: { kind: "fraction", value: 0.1 },
        test: { kind: "fraction", value: 0.1 },
      },
      seed: 7,
      shuffle: true,
    });
  });

  test("images with augmentation", () => {
    const { plan, diagnostics } = read(`data Fashion from idx("fashion/") {
  input  image : u8[H=28, W=28, C=1]
  target label : category("coat", "bag")
  augment flip(W, chance = 25%), shift(H, W, by = 2)
  split  train = 55_000, valid = 5_000, test = given
}`);
    expect(diagnostics).toEqual([]);
    expect(plan.columns[0]).toMatchObject({
      kind: "array",
      dtype: "u8",
      shape: [28, 28, 1],
      labels: ["H", "W", "C"],
    });
    expect(plan.columns[1]!.classes).toMatchObject({ names: ["coat", "bag"], size: 2, given: true });
    expect(plan.augment).toEqual([
      { kind: "flip", column: "image", axis: 1, chance: 0.25 },
      { kind: "shift", column: "image", axes: [0, 1], by: 2 },
    ]);
    expect(plan.split?.parts).toEqual({
      train: { kind: "count", value: 55_000 },
      valid: { kind: "count", value: 5_000 },
      test: { kind: "given" },
    });
  });

  test("fill, and train taking the rest", () => {
    const { plan, diagnostics } = read(
      table('  fill age = median, rooms = 3, sea = "near"\n  split test = 20%\n  shuffle off'),
    );
    expect(diagnostics).toEqual([]);
    expect(plan.fill).toEqual({
      age: { with: "median" },
      rooms: { with: "value", value: 3 },
      sea: { with: "value", value: "near" },
    });
    expect(plan.split).toEqual({
      parts: { test: { kind: "fraction", value: 0.2 }, train: { kind: "fraction", value: 0.8 } },
      seed: 0,
      shuffle: false,
    });
  });

  test("a category whose size is given a name, and the facts that pin it", () => {
    const text = `data Pets from csv("pets.csv") {
  input  mass : number
  target breed : category as Breed
}`;
    const unknown = read(text).plan.columns[1]!.classes;
    expect(unknown).toEqual({ names: undefined, size: undefined, dim: "Pets.Breed", given: false });
    const parsed = parse({ path, text: `dlm 1\n\n${text}\n` });
    const declaration = parsed.file.declarations[0]!;
    if (declaration.kind !== "data") throw new Error("the text is no data block");
    const columns = new Map([
      ["mass", { kind: "number" as const }],
      ["breed", { kind: "text" as const, categories: ["cat", "dog"] }],
    ]);
    const facts: Facts = { data: new Map([[dataKey(declaration), { columns }]]) };
    expect(read(text, facts).plan.columns[1]!.classes).toEqual({
      names: ["cat", "dog"],
      size: 2,
      dim: "Pets.Breed",
      given: false,
    });
  });

  test("texts with a vocabulary that the facts pin, and a file for the test", () => {
    const text = reviews("  tokenize words(20_000) as Words\n  window 200, keep = last, pad = before\n  split train = 90%, valid = 10%, test = given").replace('.json"', '.json", test = "late.json"'); // prettier-ignore
    const { plan, diagnostics } = read(text);
    expect(diagnostics).toEqual([]);
    expect(plan.reader).toMatchObject({ kind: "json", path: "reviews.json", given: { test: "late.json" } });
    const column = {
      name: "review",
      kind: "text",
      dtype: "i32",
      shape: [200],
      labels: ["T"],
      text: { tokenizer: { kind: "words", size: 20_000 }, keep: "last", pad: "before" },
    };
    const classes = { names: undefined, size: undefined, dim: "Reviews.Words", given: false };
    expect(plan.columns[0]).toMatchObject({ ...column, classes });
    const categories = ["<padding>", "<unknown>", "good"];
    const columns = new Map([
      ["review", { kind: "text" as const, categories }],
      ["good", { kind: "text" as const, categories: ["no", "yes"] }],
    ]);
    const known = read(text, { data: new Map([["houses.dlm#Reviews", { columns }]]) });
    expect(known.plan.columns[0]!.classes).toEqual({ ...classes, names: categories, size: 3 });
    const plain = read(reviews("  tokenize chars\n  window 8")).plan.columns[0];
    expect(plain!.text).toEqual({ tokenizer: { kind: "chars" }, keep: "first", pad: "after" });
    expect(plain!.classes!.dim).toBe("Reviews.tokens");
  });

  test("needs lists what is read", () => {
    const two = table("").replace('.csv"', '.csv", test = "late.csv", delimiter = ";"');
    const { file } = parse({ path, text: `dlm 1\n\n${two}\n` });
    expect(needs(file).map(({ key, reader, path: from }) => [key, reader, from])).toEqual([
      ["houses.dlm#Houses", "csv", "houses.csv"],
    ]);
    expect(needs(file)[0]!.paths.map(({ path: each }) => each)).toEqual(["houses.csv", "late.csv"]);
  });
});

describe("mistakes in data blocks", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["an unknown setting", table("  spilt train = 80%"), "DLM0104"],
    ["too much", table("  split train = 80%, valid = 20%, test = 10%"), "DLM0603"],
    ["a column that is not there", table("  fill agee = mean"), "DLM0605"],
    ["an argument that is not there", table("  split trian = 80%"), "DLM0121"],
    ["a part without a name", table("  split 80%"), "DLM0121"],
    ["a setting with an equals sign", table("  drop = missing"), "DLM0121"],
    ["a word that is not taken", table("  drop everything"), "DLM0121"],
    ["a line twice", table("  split train = 80%\n  split test = 10%"), "DLM0121"],
    ["a column twice", table("  input age : number"), "DLM0121"],
    ["an augmentation of no array", table("  augment flip(W)"), "DLM0121"],
    ["what is not built", table("  filter age > 3"), "DLM0120"],
    ["a source that is not built", `data A from folder("a/") {\n  input x : number\n}`, "DLM0120"],
    ["a source that does not exist", `data A from cvs("a.csv") {\n  input x : number\n}`, "DLM0121"],
    ["no type", `data A from csv("a.csv") {\n  input x\n}`, "DLM0121"],
    ["a type that does not exist", `data A from csv("a.csv") {\n  input x : numbre\n}`, "DLM0121"],
    ["a name that training uses itself", `data A from csv("a.csv") {\n  input step : number\n}`, "DLM0121"],
    ["`tokenize` without a text", table("  tokenize chars"), "DLM0121"],
    ["`window` without a text", table("  window 8"), "DLM0121"],
    ["texts without tokens", reviews("  window 8"), "DLM0122"],
    ["texts without a window", reviews("  tokenize chars"), "DLM0122"],
    ["a target in a window of texts", reviews("  tokenize chars\n  window 8, target = next"), "DLM0121"],
    ["no such tokens", reviews("  tokenize letters\n  window 8"), "DLM0121"],
    ["words without a number", reviews("  tokenize words\n  window 8"), "DLM0121"],
    ["too few words", reviews("  tokenize words(2)\n  window 8"), "DLM0121"],
    ["no such end", reviews("  tokenize chars\n  window 8, keep = middle"), "DLM0121"],
    ["no such side", reviews("  tokenize chars\n  window 8, pad = left"), "DLM0121"],
    ["a text as target", reviews("  tokenize chars\n  window 8\n  target answer : text"), "DLM0121"],
    ["a name for texts", reviews("  tokenize chars\n  window 8\n  input other : text as Other"), "DLM0121"],
    ["texts of a length", reviews("  tokenize chars\n  window 8\n  input other : text[8]"), "DLM0121"],
    ["texts in IDX", reviews("  tokenize chars\n  window 8").replace("json(", "idx("), "DLM0121"],
    ["words of a long text", `data A from text("a.txt") {\n  tokenize words(9)\n  window 8\n}`, "DLM0121"],
    [
      "the sides of a long text",
      `data A from text("a.txt") {\n  tokenize chars\n  window 8, pad = after\n}`,
      "DLM0121",
    ],
    ["a second path", table("").replace('csv("', 'csv("a.csv", "'), "DLM0121"],
    ["a file for no split", table("").replace('.csv"', '.csv", train = "b.csv"'), "DLM0121"],
    ["a file that is none", table("  split test = given").replace('.csv"', '.csv", test = 5'), "DLM0121"],
    [
      "a file that no split takes",
      table("  split test = 10%").replace('.csv"', '.csv", test = "b.csv"'),
      "DLM0121",
    ],
    ["given rows without a file", table("  split test = given"), "DLM0121"],
    ["no input", `data A from csv("a.csv") {\n  target x : number\n}`, "DLM0122"],
  ];
  test.each(cases)("%s", (_, text, code) => {
    expect(read(text).diagnostics.map((d) => d.code)).toEqual([code]);
  });

  test("what follows from a column that was not understood is not reported", () => {
    const text = `data Pets from folder("pets/") {
  input  photo : image
  augment flip(W)
  fill photo = 0
}`;
    expect(read(text).diagnostics.map((d) => d.code)).toEqual(["DLM0120", "DLM0120"]);
  });

  test("numbers of rows are compared with the facts", () => {
    const text = table("  split train = 900, test = 200");
    const facts: Facts = { data: new Map([["houses.dlm#Houses", { rows: 1000 }]]) };
    expect(read(text, facts).diagnostics.map((d) => d.message)).toEqual(["the splits add up to 1,100 rows"]);
    expect(read(text).diagnostics).toEqual([]);
  });

  test("columns are compared with the header", () => {
    const columns = new Map([
      ["rooms", { kind: "number" as const, at: { line: 1, column: 1 } }],
      ["ages", { kind: "number" as const, at: { line: 1, column: 7 } }],
      ["sea", { kind: "text" as const, at: { line: 1, column: 12 } }],
      ["price", { kind: "number" as const, at: { line: 1, column: 16 } }],
    ]);
    const facts: Facts = { data: new Map([["houses.dlm#Houses", { columns, file: "houses.csv" }]]) };
    const [found] = read(table(""), facts).diagnostics;
    expect(found).toMatchObject({ code: "DLM0605", message: "column `age` is not in houses.csv" });
    expect(found!.helps[0]!.text).toBe("ages");
    expect(found!.notes[0]).toBe("the header is at houses.csv:1:1");
  });

  test("rows shared by splits are a warning", () => {
    const facts: Facts = { data: new Map([["houses.dlm#Houses", { shared: { valid: 0, test: 312 } }]]) };
    const [found] = read(table("  split train = 80%, test = 20%"), facts).diagnostics;
    expect(found).toMatchObject({
      code: "DLM0606",
      severity: "warning",
      message: "312 rows of `test` are also in `train`",
    });
  });
});
