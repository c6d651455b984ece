/** Columns of texts: tokens and their vocabulary, files for splits, and a model of reviews through all commands. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TextRule } from "../runtime/artifact.ts";
import { load } from "../runtime/index.ts";
import { encodeRow, rowTokens, wordsOf } from "../runtime/tokens.ts";
import type { Dataset } from "../src/data/dataset.ts";
import { readSource } from "../src/data/read.ts";
import { rowVocabulary } from "../src/data/tokens.ts";
import { openWithData } from "../src/program.ts";
import { dlmc, jsonLines, type Ran } from "./support/command.ts";
import { complaint } from "./support/complaint.ts";

const folder = mkdtempSync(join(tmpdir(), "dlm-rows-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
const run = (...words: string[]): Promise<Ran> => dlmc(words, folder);

// ---------------------------------------------------------------- tokens

describe("words", () => {
  test("are letters and digits in small letters, with the apostrophes inside them", () => {
    expect(wordsOf("It’s GREAT — the 'best' 1980s film, isn't it?<br />Café 10/10")).toEqual([
      "it's", "great", "the", "best", "1980s", "film", "isn't", "it", "br", "café", "10", "10",
    ]); // prettier-ignore
    // a letter and its accent are one letter
    expect(wordsOf("cafe\u0301")).toEqual(["café"]);
    expect(wordsOf("?!")).toEqual([]);
  });

  test("that stand most often are the vocabulary, behind the two tokens that are none", () => {
    const texts = ["b a b", "c b a", "d"];
    expect(rowVocabulary(texts, { kind: "words", size: 5 })).toEqual([...rowTokens, "b", "a", "c"]);
    expect(rowVocabulary(texts, { kind: "words", size: 99 })).toEqual([...rowTokens, "b", "a", "c", "d"]);
    expect(rowVocabulary([], { kind: "words", size: 9 })).toEqual(rowTokens);
  });

  test("may be characters or byte pairs instead, as many as asked for", () => {
    expect(rowVocabulary(["ba", "b🦊"], { kind: "chars" })).toEqual([...rowTokens, "a", "b", "🦊"]);
    const pairs = rowVocabulary(Array<string>(9).fill("the cat sat"), { kind: "bpe", size: 12 })!;
    expect(pairs).toHaveLength(12);
    expect(pairs.slice(0, 2)).toEqual(rowTokens);
    expect(pairs.some((token) => token.length > 1 && token !== pairs[0] && token !== pairs[1])).toBe(true);
    expect(rowVocabulary(["abc"], { kind: "bpe", size: 4 })).toBeUndefined();
  });
});

describe("a row of tokens", () => {
  const names = [...rowTokens, "a", "b", "c", "d", "e"];
  const row = (text: string, rule: Partial<TextRule> = {}): number[] => {
    const ids = new Int32Array(4);
    encodeRow(text, names, { tokens: "words", keep: "first", pad: "after", ...rule }, ids);
    return [...ids];
  };

  test("is filled up on the side that is asked for, and cut at the other end or the same", () => {
    expect(row("a b")).toEqual([2, 3, 0, 0]);
    expect(row("a b", { pad: "before" })).toEqual([0, 0, 2, 3]);
    expect(row("a b c d e")).toEqual([2, 3, 4, 5]);
    expect(row("a b c d e", { keep: "last", pad: "before" })).toEqual([3, 4, 5, 6]);
    expect(row("a b c d")).toEqual([2, 3, 4, 5]);
    for (const pad of ["before", "after"] as const) expect(row("", { pad })).toEqual([0, 0, 0, 0]);
  });

  test("says 1 of what is not known, and what fills up cannot be written", () => {
    expect(row("A z b")).toEqual([2, 1, 3, 0]);
    expect(row("<padding> a")).toEqual([1, 2, 0, 0]);
    expect(row("ab?", { tokens: "pieces" })).toEqual([2, 3, 1, 0]);
  });
});

// ---------------------------------------------------------------- data

const good = ["good", "great", "fine"];
const poor = ["bad", "awful", "dull"];
const others = ["film", "plot", "actor", "scene", "story", "end", "the", "a"];

/** Reviews that one word decides. */
function reviews(count: number, from = 0): { review: string; sentiment: string }[] {
  return Array.from({ length: count }, (_, k) => {
    const i = k + from;
    const words = Array.from(
      { length: 2 + (i % 7) },
      (__, n) => others[(i * 5 + n * 3 + (i >> 3)) % others.length]!,
    );
    const isGood = (i * 7 + (i >> 2)) % 2 === 0;
    words.splice(i % words.length, 0, (isGood ? good : poor)[i % 3]!);
    return { review: `${words.join(" ")}. ${i}`, sentiment: isGood ? "good" : "poor" };
  });
}

const program = (from: string, lines = "tokenize words(40) as Words", target = 'category("poor", "good")') => `dlm 1

data Reviews from ${from} {
  input    review    : text
  target   sentiment : ${target}
  ${lines}
  window   8
  split    train = 80%, valid = 20%, test = given, seed = 3
}

let Words = Reviews.Words

/// The mean of the words that are there.
model Taste(review: int<Words>[B, T=8]) -> [B, Class=2] {
  word = review != 0
  x = review -> Embed(8, init = normal(0.3))
  (sum(select(word, x, 0)) over T) / max(sum(word) over T, 1) -> Dense(2)
}

train Taste on Reviews {
  loss       cross_entropy(out, sentiment)
  optimizer  adam(3e-2)
  batch      16
  epochs     12
  keep       best, by = valid.accuracy
}

evaluate Taste on Reviews.test {
  metrics  accuracy, loss
  report   confusion
  report   by = sentiment
  require  accuracy >= 90%
}

deploy Taste {
  output  softmax(out) over Class
}
`; // prettier-ignore

const late = [...reviews(40, 500), { review: "Unheard-of words, zebra!", sentiment: "good" }];

beforeAll(() => {
  write("train.json", JSON.stringify(reviews(200)));
  write("test.json", late.map((row) => JSON.stringify(row)).join("\n"));
  const csv = (rows: typeof late): string =>
    ["review,sentiment", ...rows.map((row) => `"${row.review}",${row.sentiment}`)].join("\n");
  write("train.csv", csv(reviews(200)));
  write("test.csv", csv(late));
  write("taste.dlm", program('json("train.json", test = "test.json")'));
});

const opened = (name: string): Dataset =>
  [...openWithData(join(folder, name), { refit: true }).datasets.values()][0]!;

describe("rows of texts", () => {
  test("are tokens of the train split, and a second file is a split by itself", () => {
    const data = opened("taste.dlm");
    expect(Object.values(data.splits).map(({ length }) => length)).toEqual([160, 40, 41]);
    const { data: ids, classes } = data.columns.get("review")!;
    expect(classes).toHaveLength(40);
    expect(classes!.slice(0, 2)).toEqual(rowTokens);
    expect(classes).toContain("film");
    // it stands in the test split alone
    expect(classes).not.toContain("zebra");
    const shown = (row: number): string =>
      [...ids.subarray(8 * row, 8 * row + 8)].map((id) => classes![id]).join(" ");
    expect(shown(240)).toBe(
      "<unknown> <unknown> <unknown> <unknown> <padding> <padding> <padding> <padding>",
    );
    const trained = data.splits.train[0]!;
    const words = wordsOf(reviews(200)[trained]!.review).slice(0, 8);
    words.forEach((word, i) => expect([word, "<unknown>"]).toContain(classes![ids[8 * trained + i]!]));
  });

  test("are the same out of csv, and of other tokens", () => {
    write("csv.dlm", program('csv("train.csv", test = "test.csv")'));
    const data = opened("csv.dlm");
    const json = opened("taste.dlm");
    expect(data.columns.get("review")!.classes).toEqual(json.columns.get("review")!.classes);
    expect(data.columns.get("review")!.data).toEqual(json.columns.get("review")!.data);
    write("chars.dlm", program('json("train.json", test = "test.json")', "tokenize chars as Words"));
    const { classes, data: ids } = opened("chars.dlm").columns.get("review")!;
    expect(classes).toContain("f");
    // the test's Z and ! are in no review of the train split
    expect([...ids.subarray(8 * 240, 8 * 241)].slice(0, 3)).toEqual([
      1,
      classes!.indexOf("n"),
      classes!.indexOf("h"),
    ]);
    write("pairs.dlm", program('json("train.json", test = "test.json")', "tokenize bpe(90) as Words"));
    expect(opened("pairs.dlm").columns.get("review")!.classes).toContain(" film");
  });

  test("several of them have one vocabulary, and numbers are texts where the program says so", () => {
    write("two.csv", "question,answer,right\nhow many,007,yes\nwho,12,no\nwhere,,yes\nwhy,NA,no\n");
    write("two.dlm", `dlm 1

data Two from csv("two.csv") {
  input    question, answer : text
  target   right : category
  tokenize words(30)
  window   3
  drop     missing
}
`); // prettier-ignore
    const data = opened("two.dlm");
    const names = [...rowTokens, "007", "12", "how", "many", "na", "who", "why"];
    expect(data.dropped.missing).toBe(1);
    for (const column of ["question", "answer"]) expect(data.columns.get(column)!.classes).toEqual(names);
    expect([...data.columns.get("answer")!.data.subarray(0, 3)]).toEqual([2, 0, 0]);
    expect([...data.columns.get("question")!.data.subarray(0, 3)]).toEqual([4, 5, 0]);
  });

  test("that are equal in two splits are found by the whole text", () => {
    const same = Array.from({ length: 9 }, () => ({ review: "the same", sentiment: "good" }));
    const rows = [...reviews(20), ...same];
    write("some.json", JSON.stringify(rows));
    write("again.json", JSON.stringify([{ review: "the same", sentiment: "good" }, { review: "The same!", sentiment: "good" }])); // prettier-ignore
    write("again.dlm", program('json("some.json", test = "again.json")'));
    const { diagnostics } = openWithData(join(folder, "again.dlm"), { refit: true }).checked;
    expect(diagnostics.map(({ message }) => message)).toContain("1 row of `test` is also in `train`");
  });
});

describe("files for splits", () => {
  const sources = (kind: "csv" | "json", first: string, second: string) => {
    write(`first.${kind}`, first);
    write(`second.${kind}`, second);
    const columns = new Map([["a", "category"], ["b", "number"]] as const); // prettier-ignore
    return readSource({ kind, path: `first.${kind}`, given: { test: `second.${kind}` }, columns }, folder)
      .table;
  };

  test("may have their columns in another order, further ones, and names that are numbers in one of them", () => {
    const table = sources("csv", "a,b,c\nx,1,5\n7,NA,6\n", "d,b,a\n0,3,NA\n0,4,8\n");
    expect(table.columns.map(({ name, kind, data }) => [name, kind, [...data]])).toEqual([
      ["a", "text", ["x", "7", undefined, "8"]],
      ["b", "number", [1, NaN, 3, 4]],
    ]);
    expect(table.given).toEqual({ train: [0, 2], test: [2, 4] });
    expect(table.parts.map(({ file, rows }) => [file.split("/").at(-1), rows])).toEqual([
      ["first.csv", 2],
      ["second.csv", 2],
    ]);
  });

  test("are refused where one lacks a column, or holds something else in it", () => {
    expect(complaint(() => sources("csv", "a,b\nx,1\n", "a\nx\n"))).toMatch(
      /second\.csv: there is no column b$/,
    );
    expect(complaint(() => sources("json", '[{"a": "x", "b": 1}]', '[{"a": 2, "b": 1}]'))).toMatch(
      /second\.json:a: it holds something else than in .*first\.json$/,
    );
    expect(complaint(() => sources("json", '[{"a": "x", "b": 1}]', '[{"a": "x", "b": 1},\n]'))).toMatch(
      /second\.json:2: /,
    );
  });
});

// ---------------------------------------------------------------- commands

describe("a model of texts", () => {
  const weights = ["--weights", "runs/taste/best.safetensors"];

  test("is checked with its data and without, fitted, trained and measured", async () => {
    mkdirSync(join(folder, "away"));
    writeFileSync(join(folder, "away", "taste.dlm"), program('json("train.json", test = "test.json")'));
    const away = await run("check", "away/taste.dlm");
    expect(away.err).toMatch(/warning\[DLM0607\]: there is no file or folder `train\.json`/);
    expect(away.status).toBe(0);
    expect(await run("check", "taste.dlm")).toMatchObject({ status: 0, err: "" });

    const fitted = await run("fit", "taste.dlm");
    expect(fitted.out).toMatch(/review: 40 tokens, <padding>, <unknown>, /);
    const lock = JSON.parse(readFileSync(join(folder, "dlm.lock"), "utf8")) as {
      data: Record<string, { facts: { columns: Record<string, { categories?: string[] }> } }>;
    };
    expect(lock.data["taste.dlm#Reviews"]!.facts.columns["review"]!.categories).toHaveLength(40);

    const trained = await run("train", "taste.dlm", "--json");
    expect(trained.err).toBe("");
    const measured = await run("evaluate", "taste.dlm", ...weights, "--json");
    expect(measured.err).toBe("");
    const [result] = jsonLines(measured.out) as unknown as [
      { rows: number; metrics: { accuracy: number }; report: { confusion: { classes: string[] } } },
    ];
    expect(result.rows).toBe(41);
    expect(result.metrics.accuracy).toBeGreaterThan(0.9);
    expect(result.report.confusion.classes).toEqual(["poor", "good"]);
    const shown = await run("show", "taste.dlm", "--full");
    for (const line of [
      /from +json\("train.json", test = "test.json"\)/,
      /tokenize +words\(40\)/,
      /window.pad +after +default/,
    ])
      // prettier-ignore
      expect(shown.out).toMatch(line);
  });

  test("is used on rows of texts, or of tokens, in every form of a file", async () => {
    const texts = ["A good film, the end.", "an AWFUL scene"];
    write("rows.json", JSON.stringify(texts.map((review) => ({ review }))));
    write("rows.jsonl", texts.map((review) => JSON.stringify({ review })).join("\n"));
    write("rows.csv", `review\n${texts.map((text) => `"${text}"`).join("\n")}\n`);
    const names = opened("taste.dlm").columns.get("review")!.classes!;
    const tokens = texts.map((text) => {
      const ids = wordsOf(text).map((word) => Math.max(1, names.indexOf(word)));
      return { review: [...ids, ...Array<number>(8 - ids.length).fill(0)] };
    });
    write("tokens.json", JSON.stringify(tokens));
    const outputs: Ran[] = [];
    for (const file of ["rows.json", "rows.jsonl", "rows.csv", "tokens.json"])
      outputs.push(await run("run", "taste.dlm", ...weights, "--input", file, "--json"));
    expect(outputs.map(({ err }) => err)).toEqual(["", "", "", ""]);
    const classes = jsonLines(outputs[0]!.out).map((row) => row["out.class"]);
    expect(classes).toEqual(["good", "poor"]);
    for (const { out } of outputs) expect(out).toBe(outputs[0]!.out);

    write("bad.json", '[{"review": "good"}, {"review": 5}]');
    expect((await run("run", "taste.dlm", ...weights, "--input", "bad.json")).err).toMatch(
      /5 is no text\n.*bad\.json:2:review/,
    );
    write("bad.json", '[{"review": "good"}, {}]');
    expect((await run("run", "taste.dlm", ...weights, "--input", "bad.json")).err).toMatch(
      /the value is missing\n.*bad\.json:2:review/,
    );
  });

  test("takes texts in an app, and its vocabulary is in the artifact alone", async () => {
    expect(await run("compile", "taste.dlm", ...weights, "-o", "app")).toMatchObject({ status: 0, err: "" });
    const { load: open } = (await import(pathToFileURL(join(folder, "app", "Taste.js")).href)) as {
      load: () => ReturnType<typeof load>;
    };
    const model = await open();
    const texts = ["A good film, the end.", "an AWFUL scene", ""];
    const { out } = await model.predict({ review: texts });
    expect((out as { class: string }[]).slice(0, 2).map((row) => row.class)).toEqual(["good", "poor"]);
    const alone = await model.run(texts);
    expect(await model.run({ review: texts })).toEqual(alone);
    expect((await model.run(texts[0]!))["out"]).toEqual(alone["out"]!.slice(0, 2));
    // more texts than the memory is planned for
    const many = await model.run(Array.from({ length: 100 }, (_, i) => texts[i % 2]!));
    expect(many["out"]!.slice(2 * 98)).toEqual(alone["out"]!.slice(0, 4));
    await expect(model.run({ review: ["good", 5] as unknown as string[] })).rejects.toThrow(/text 1 is 5/);
    const { inputs } = model.manifest.entries.find(({ name }) => name === "infer")!;
    expect(inputs[0]!.classes).toHaveLength(40);
    const [js, types] = ["js", "d.ts"].map((end) =>
      readFileSync(join(folder, "app", `Taste.${end}`), "utf8"),
    );
    expect(js).not.toContain('<padding>","<unknown>');
    expect(types).toContain("review: string | readonly string[] | Int32Array | NestedNumbers;");
    expect(types).not.toContain("scene");
  });

  test.each([
    ["a missing text", [{ review: "good" }, { sentiment: "good" }], /the value is missing.*\n.*r\.json:2:review/],
    ["a number", [{ review: "good", sentiment: "good" }, { review: 4, sentiment: "good" }], /4 is no text\n.*r\.json:2:review/],
    ["another class", [{ review: "good", sentiment: "best" }], /"best" is not among.*\n.*r\.json:1:sentiment/],
  ])("refuses %s with file and row", async (_, rows, message) => {
    write("r.json", JSON.stringify(rows));
    write("r.dlm", program('json("r.json", test = "test.json")'));
    const { status, err, out } = await run("fit", "r.dlm");
    expect(err).toMatch(message);
    expect([status, out]).toEqual([1, ""]);
  }); // prettier-ignore

  test("is not trained on other data than its lock speaks of", async () => {
    write("test.json", JSON.stringify(late.slice(1)));
    const { status, err } = await run("evaluate", "taste.dlm", ...weights);
    expect(err).toContain("the data was changed");
    expect(status).toBe(1);
  });
});
