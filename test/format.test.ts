/** The formatter: a fixed look, nothing lost, and the same again for its own text. */
import { describe, expect, test } from "vitest";
import { format } from "../grammar/format.ts";
import { parse } from "../grammar/parse.ts";
import type { Source } from "../grammar/source.ts";
import { tokenize } from "../grammar/tokens.ts";
import { programs, withoutPlaces } from "./support/programs.ts";
import { random } from "./support/random.ts";

function formatted(text: string): string {
  const result = format({ path: "test.dlm", text });
  if (result === undefined) throw new Error(`does not parse:\n${text}`);
  return result;
}

const inBody = (body: string): string => `model M(x: [B]) -> [B] {\n${body}\n}\n`;

describe("the programs of the language", () => {
  test.each(programs)("$path is in canonical form", (source) => {
    expect(format(source)).toBe(source.text);
  });
});

describe("canonical text", () => {
  test.each([
    ["spaces", "let a=1+2 *3", "let a = 1 + 2 * 3\n"],
    ["signs", "let a = - 1 - - 2 ^ - 3", "let a = -1 - -2 ^ -3\n"],
    ["fractions of numbers", "let a = 1 / 255 + b/255", "let a = 1/255 + b / 255\n"],
    ["ranges", "let a = 1 .. 4", "let a = 1..4\n"],
    ["calls", "let a = f ( b , c = 1 ) . d [ 1 ]", "let a = f(b, c = 1).d[1]\n"],
    ["axes", "let a = zeros [ B , H = 28 , .. S ]", "let a = zeros[B, H=28, ..S]\n"],
    ["types", "let a : int < N = 3 > [ B ] = 1", "let a: int<N=3>[B] = 1\n"],
    ["imports", 'use "./a.dlm"(A,B)\nuse std . text', 'use "./a.dlm" (A, B)\nuse std.text\n'],
    ["line ends", "let a = 1\r\nlet b = 2\r\n", "let a = 1\nlet b = 2\n"],
    ["empty lines", "\n\nlet a = 1\n\n\n\nlet b = 2\n\n", "let a = 1\n\nlet b = 2\n"],
    ["empty blocks", "deploy A {\n\n}", "deploy A {}\n"],
    ["nothing", " \n", ""],
    ["a comment alone", "  // hello  ", "// hello\n"],
  ])("%s", (_, text, expected) => {
    expect(formatted(text)).toBe(expected);
  });

  test("blocks are indented by two, without empty lines at their ends", () => {
    expect(formatted(inBody("\n        y = x\n\n\n    y -> repeat 2 {\n  f\n }\n"))).toBe(
      inBody("  y = x\n\n  y -> repeat 2 {\n         f\n       }"),
    );
  });

  test("a pipeline of several lines starts each with its arrow; one that fits stays in its line", () => {
    expect(formatted(inBody("x -> f ->\ng\n-> h"))).toBe(inBody("  x -> f\n    -> g\n    -> h"));
    expect(formatted(inBody("x->f->g"))).toBe(inBody("  x -> f -> g"));
  });

  test("a pipeline that does not fit gets one stage a line", () => {
    const stages = Array.from({ length: 8 }, (_, i) => `Dense(${i}, bias = false)`);
    expect(formatted(inBody(`x -> ${stages.join(" -> ")}`))).toBe(
      inBody(`  x\n${stages.map((stage) => `    -> ${stage}`).join("\n")}`),
    );
  });

  test("values of settings form a column, with two spaces in workflows and one in data", () => {
    expect(formatted("train A on B {\nloss f(out)\noptimizer   g\n\nstop early, patience = 1\n}")).toBe(
      "train A on B {\n  loss       f(out)\n  optimizer  g\n\n  stop       early, patience = 1\n}\n",
    );
    expect(formatted('data A from csv("a") {\ninput a : number\ntarget   b : number\n}')).toBe(
      'data A from csv("a") {\n  input  a : number\n  target b : number\n}\n',
    );
  });

  test("a setting with a block is no part of the column", () => {
    expect(formatted("train A on B {\n  batch 1\n  stage first {\n    epochs 2\n  }\n  keep best\n}")).toBe(
      "train A on B {\n  batch  1\n  stage first {\n    epochs  2\n  }\n  keep  best\n}\n",
    );
  });

  test("columns that the author made are kept, and follow their widest line", () => {
    expect(formatted("let a    = 1\nlet long = 2\n")).toBe("let a    = 1\nlet long = 2\n");
    expect(formatted("let a      = 1\nlet long   = 2\n")).toBe("let a    = 1\nlet long = 2\n");
    expect(formatted("let a = 1\nlet long = 2\n")).toBe("let a = 1\nlet long = 2\n");
    expect(formatted("let a    = 1\n\nlet long = 2\n")).toBe("let a = 1\n\nlet long = 2\n");
  });

  test("long lists are broken one item a line, long settings under their first value", () => {
    const names = Array.from({ length: 12 }, (_, i) => `a_long_name_${i}`);
    expect(formatted(`let a = f(${names.join(", ")})`)).toBe(
      `let a = f(\n${names.map((name) => `  ${name}`).join(",\n")}\n)\n`,
    );
    const setting = formatted(`data A from csv("a") {\n  input ${names.join(", ")} : number\n}`);
    expect(setting.split("\n")[2]).toMatch(/^ {8}a_long_name/);
    for (const line of setting.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });

  test("where in a line of its own keeps the brace in one", () => {
    const text = "module A(n)(x: [B]) -> [B]\n  where n divides B,\n        n < 3\n{\n  x\n}\n";
    expect(formatted(text)).toBe(text);
    expect(formatted("fn f(n)(x: [B]) -> [B] where n<3 { x }")).toBe(
      "fn f(n)(x: [B]) -> [B] where n < 3 { x }\n",
    );
  });
});

describe("comments", () => {
  test("stay where they are", () => {
    const text = [
      "// file",
      "dlm 1 // edition",
      "",
      "/// doc",
      "// between",
      "model M( // open",
      "  x: [B], // first",
      "  // own line",
      "  y: [B]",
      ") -> [B] { // body",
      "  // above",
      "",
      "  y = x // behind",
      "",
      "  // before a stage",
      "  x",
      "    // first stage",
      "    -> f // of f",
      "    -> g",
      "  // last",
      "} // end",
      "",
      "// after all",
      "",
    ].join("\n");
    expect(formatted(text)).toBe(text);
  });

  test("never swallow text", () => {
    for (const text of [
      "let a = // why\n 1 +\n // really\n 2",
      inBody("x -> f( // one\n a, // two\n b // three\n )"),
    ]) {
      const result = formatted(text);
      expect(withoutPlaces(parse({ path: "", text: result }).file)).toBe(
        withoutPlaces(parse({ path: "", text }).file),
      );
      expect(formatted(result)).toBe(result);
    }
  });
});

test("a text with syntax errors has no canonical form", () => {
  expect(format({ path: "a.dlm", text: "let a = (" })).toBeUndefined();
  expect(format({ path: "a.dlm", text: "let a = 1;" })).toBeUndefined();
});

/** The same program with other spaces, line breaks, comments and lengths of names. */
function disturbed({ path, text }: Source, seed: number): Source {
  const draw = random(seed);
  const { tokens, comments } = tokenize(text);
  const elements = [...tokens, ...comments].sort((a, b) => a.startOffset - b.startOffset);
  const longer = new Map<string, string>();
  const goesOn = /^(->|=>|\+|\*|,|\(|\[)$/;
  let result = "";
  let end = 0;
  let count = 0;
  elements.forEach((element, index) => {
    let gap = text.slice(end, element.startOffset);
    const before = elements[index - 1]?.image ?? "";
    if (gap.includes("\n")) {
      if (draw.chance(0.1) && !before.startsWith("//"))
        gap = `${" ".repeat(draw.below(3))}// ${count++}${gap}`;
      if (draw.chance(0.1)) gap = gap.replace("\n", `\n${" ".repeat(draw.below(6))}// ${count++}\n`);
      if (draw.chance(0.1)) gap = gap.replace("\n", "\n\n\n");
      if (draw.chance(0.2)) gap = gap.replace(/ +$/, " ".repeat(2 + draw.below(8)));
    } else if (index > 0) {
      const joined = /\w$/.test(before) && /^\w/.test(element.image);
      if (draw.chance(0.3) && (gap !== "" || !joined)) gap = " ".repeat(draw.below(4) + (joined ? 1 : 0));
      if (draw.chance(0.05) && goesOn.test(element.image) && !/^[([]$/.test(element.image)) gap = "\n   ";
      if (draw.chance(0.05) && goesOn.test(before)) gap = `${draw.chance(0.2) ? ` // ${count++}` : ""}\n   `;
    }
    const isName = element.tokenType.name === "Name" && element.image.length > 2;
    if (isName && !longer.has(element.image)) {
      longer.set(
        element.image,
        element.image + (draw.chance(0.2) ? "_longer_longer".slice(draw.below(12)) : ""),
      );
    }
    result += gap + (isName ? longer.get(element.image)! : element.image);
    end = (element.endOffset ?? 0) + 1;
  });
  return { path, text: result + text.slice(end) };
}

describe("disturbed programs", () => {
  test.each([1, 2, 3, 4])(
    "seed %i: the tree and the comments are kept, a second round changes nothing",
    (seed) => {
      programs.forEach((program, index) => {
        const source = disturbed(program, seed * 100 + index);
        const { file, diagnostics } = parse(source);
        expect(diagnostics, source.text).toEqual([]);
        const text = formatted(source.text);
        expect(withoutPlaces(parse({ path: "", text }).file)).toBe(withoutPlaces(file));
        const images = (from: string): string[] =>
          tokenize(from).comments.map(({ image }) => image.trimEnd());
        expect(images(text)).toEqual(images(source.text));
        expect(formatted(text)).toBe(text);
        expect(text).not.toMatch(/[ \t]$|\n\n\n/m);
      });
    },
  );
});
