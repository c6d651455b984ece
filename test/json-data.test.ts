/** JSON as data: the forms that are read, what is refused and where, and that damaged text is refused and no more. */
import { describe, expect, test } from "vitest";
import { gzipSync } from "node:zlib";
import type { ColumnKind } from "../src/data/bind.ts";
import { DataError } from "../src/data/error.ts";
import { brokenAt } from "../src/data/json-errors.ts";
import { readJson } from "../src/data/json.ts";
import { isMissing, placeOfRow } from "../src/data/table.ts";
import { uniform } from "../src/random-inputs.ts";
import { complaint } from "./support/complaint.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const json = (text: string, declared: Readonly<Record<string, ColumnKind>> = {}) =>
  readJson(utf8(text), "t.json", new Map(Object.entries(declared)));

describe("json", () => {
  const rows = '[{"a": 1, "b": "x"}, {"a": null, "b": "y"}, {"b": null, "a": -2.5e-1}]';

  test("is an array of rows, JSON lines, or an object of columns", () => {
    const lines = '\ufeff\n{"a": 1, "b": "x"}\r\n\n{"a": null, "b": "y"}\n{"b": null, "a": -0.25}\n';
    const columns = '{"a": [1, null, -0.25],\n "b": ["x", "y", null]}';
    for (const text of [rows, lines, columns]) {
      const table = json(text);
      expect(table.rows).toBe(3);
      expect(table.columns.map(({ name, kind }) => [name, kind])).toEqual([
        ["a", "number"],
        ["b", "text"],
      ]);
      expect(table.columns.map(({ data }) => [...data])).toEqual([
        [1, NaN, -0.25],
        ["x", "y", undefined],
      ]);
      expect([0, 1, 2].map((row) => isMissing(table.columns[0]!, row))).toEqual([false, true, false]);
    }
    expect(placeOfRow(json(rows), 1).row).toBe(2);
    expect(placeOfRow(json(lines), 1).row).toBe(4);
    expect(readJson(gzipSync(rows), "t.json.gz").rows).toBe(3);
  });

  test("is one row where it is one object, on one line or on several", () => {
    for (const text of ['{"a": 1, "b": "x"}', '{"a": 1,\n "b": "x"}\n', '{\n"a": 1, "b": "x" }'])
      expect(json(text).columns.map(({ data }) => [...data])).toEqual([[1], ["x"]]);
    expect(readJson(utf8('{"a": [1, 2]}\n'), "one.jsonl").rows).toBe(1);
  });

  test("holds arrays of one shape, and names that objects have of themselves", () => {
    const table = json('[{"x": [[1, 2], [3, 4]], "toString": 1, "__proto__": 5}, {"x": [[5, 6], [7, 8]]}]');
    expect(table.columns.map(({ name, shape }) => [name, shape])).toEqual([
      ["x", [2, 2]],
      ["toString", []],
      ["__proto__", []],
    ]);
    expect(table.columns.map(({ data }) => [...data])).toEqual([
      [1, 2, 3, 4, 5, 6, 7, 8],
      [1, NaN],
      [5, NaN],
    ]);
  });

  test("keeps texts as they stand, and leaves out what is no column unless it is declared", () => {
    const text = '[{"t": " 007 ", "meta": {"id": 1}}, {"t": "NA", "meta": {"id": 2}}, {"t": "", "meta": 3}]';
    expect(json(text, { t: "text" }).columns).toMatchObject([
      { name: "t", kind: "text", data: [" 007 ", "NA", ""] },
    ]);
    expect(complaint(() => json(text, { meta: "number" }))).toBe('t.json:1:meta: {"id":1} is not a number');
  });

  test.each<[string, string, Readonly<Record<string, ColumnKind>>?]>([
    ["", "t.json: the file is empty"],
    [" \n ", "t.json: the file is empty"],
    ["[1]", "t.json:1: a row is an object, this is none"],
    ['[{"a": 1}, [2]]', "t.json:2: a row is an object, this is none"],
    ['"text"', "t.json: an array of rows, or an object of columns, is needed"],
    ['{"a": [1, 2], "b": [1]}', "t.json:b: it has 1 rows, a has 2"],
    ['[\n{"a": 1},\n{"a": 2\n', "t.json:4: the JSON text breaks off"],
    ['[{"a": 1},\n{"a": 1.}]', 't.json:2: "1.}]" has no place in a JSON text'],
    ["[{'a': 1}]", "t.json:1: \"'a':\" has no place in a JSON text"],
    ['[{"a": 1},]', 't.json:1: "]" has no place in a JSON text'],
    ['[{"a": NaN}]', 't.json:1: "NaN}]" has no place in a JSON text'],
    ['{"a": 1}\n\n{"a": 2\n{"a": 3}\n', "t.json:3: the JSON text breaks off"],
    ['{"a": 1}\n[2]\n', "t.json:2: a row is an object, this is none"],
    ['[{"t": "x"}, {"t": 5}]', "t.json:2:t: 5 is no text", { t: "text" }],
    ['{"t": "x"}\n\n{"t": {"u": 1}}\n', 't.json:3:t: {"u":1} is no text', { t: "text" }],
    ['[{"a": 1}, {"a": "2"}]', 't.json:2:a: "2" is not a number', { a: "number" }],
    ['[{"a": 1}, {"a": 1e999}]', "t.json:2:a: Infinity is not a number", { a: "number" }],
    ['[{"a": [1, 2]}, {"a": [1]}]', "t.json:2:a: its rows are not all [2], as that of row 1", { a: "array" }],
  ])("refuses %j", (text, message, declared) => {
    expect(complaint(() => json(text, declared))).toBe(message);
  });

  test("says on which line bytes are no text", () => {
    expect(complaint(() => readJson(Uint8Array.of(91, 10, 255, 93), "t.json"))).toBe(
      "t.json:2: the text is not UTF-8",
    );
  });
});

describe("damaged JSON", () => {
  const next = uniform(5, 1);
  const below = (count: number): number => Math.floor(next() * count);
  const pieces = ["{", "}", "[", "]", ",", ":", '"', "\\", "\\u12", "1", "-", ".", "e", "true", "nul", " ", "\n", "\0", "é"]; // prettier-ignore
  const whole = [
    '[{"review": "so \\"good\\" \\u00e9\\n", "n": -1.5e+3, "b": [true, false, null]}, {"review": "", "n": 0}]',
    '{"review": "good", "n": 1}\n{"review": "bad", "n": 2}\n',
    '{"review": ["a", "b"], "n": [[1, 2], [3, 4]], "o": [{}, {}]}',
  ];

  function damaged(): string {
    let text = whole[below(whole.length)]!;
    for (let changes = 1 + below(3); changes > 0; changes--) {
      const at = below(text.length + 1);
      const kind = below(3);
      if (kind === 0) text = text.slice(0, at);
      else if (kind === 1) text = text.slice(0, at) + text.slice(at + 1 + below(3));
      else text = text.slice(0, at) + pieces[below(pieces.length)]! + text.slice(at);
    }
    return text;
  }

  const parses = (text: string): boolean => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };

  test("is found where no JSON text goes on", () => {
    let broken = 0;
    for (let i = 0; i < 4000; i++) {
      const text = damaged();
      if (parses(text)) continue;
      broken++;
      const at = brokenAt(text);
      expect(at, JSON.stringify(text)).toBeLessThanOrEqual(text.length);
      // what is before it may go on to a whole text; behind it nothing matters
      expect(brokenAt(text.slice(0, at)), JSON.stringify(text)).toBe(at);
      if (at < text.length) expect(brokenAt(`${text} []`), JSON.stringify(text)).toBe(at);
    }
    expect(broken).toBeGreaterThan(2000);
  });

  test("is read, or refused with its file and a row that it has", () => {
    for (let i = 0; i < 4000; i++) {
      const text = damaged();
      try {
        const table = json(text, { review: "text", n: "number" });
        for (const { data, shape } of table.columns)
          expect(data.length).toBe(table.rows * shape.reduce((a, b) => a * b, 1));
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
        const { file, row = 1 } = error as DataError;
        expect(file).toBe("t.json");
        expect(row).toBeGreaterThanOrEqual(1);
        expect(row).toBeLessThanOrEqual(text.split("\n").length + 1);
      }
    }
  });

  test("nested deeply, or long, is no trouble", () => {
    const deep = "[".repeat(200_000);
    expect(brokenAt(deep)).toBe(deep.length);
    expect(complaint(() => json(deep))).toBe("t.json:1: the JSON text breaks off");
    const long = `[{"t": "${"x".repeat(3_000_000)}"}, 5x]`;
    expect(complaint(() => json(long))).toBe('t.json:1: "5x]" has no place in a JSON text');
  });
});
