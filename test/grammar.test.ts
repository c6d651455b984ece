/** Reading good programs: every program parses, and the tree says what the text says. */
import { describe, expect, test } from "vitest";
import type { Declaration, Expression, Statement } from "../grammar/ast.ts";
import { parse } from "../grammar/parse.ts";
import { textOf } from "../grammar/source.ts";
import { holes, programs, withoutPlaces } from "./support/programs.ts";

function declarations(text: string): readonly Declaration[] {
  const { file, diagnostics } = parse({ path: "test.dlm", text });
  expect(diagnostics.map(({ message }) => message)).toEqual([]);
  return file.declarations;
}

function statements(body: string): readonly Statement[] {
  const [model] = declarations(`model M(x: [B]) -> [B] {\n${body}\n}`);
  if (model?.kind !== "model") throw new Error("no model");
  return model.body.statements;
}

function value(text: string): Expression {
  const [statement, ...more] = statements(`  ${text}`);
  expect(more).toEqual([]);
  if (statement?.kind !== "expression") throw new Error(`no expression but ${statement?.kind}`);
  return statement.value;
}

/** The tree of an expression in prefix form: enough to see precedence. */
function shape(expression: Expression): string {
  switch (expression.kind) {
    case "name":
      return expression.text;
    case "number":
    case "percent":
      return String(expression.value);
    case "binary":
      return `(${expression.operator} ${shape(expression.left)} ${shape(expression.right)})`;
    case "unary":
      return `(${expression.operator} ${shape(expression.operand)})`;
    case "call":
      return `${shape(expression.callee)}(${expression.arguments.map((a) => shape(a.value)).join(" ")})`;
    case "member":
      return `${shape(expression.base)}.${expression.name.text}`;
    default:
      return expression.kind;
  }
}

describe("programs", () => {
  test.each(programs)("$path is read without diagnostics and without holes", (source) => {
    const { file, diagnostics } = parse(source);
    expect(diagnostics).toEqual([]);
    expect(holes(file)).toBe(0);
    expect(file.edition?.value).toBe(1);
    expect(file.declarations.length).toBeGreaterThan(0);
  });

  test("every declaration's span starts with its word and ends with its last token", () => {
    for (const source of programs) {
      for (const declaration of parse(source).file.declarations) {
        const text = textOf(declaration.span);
        expect(text.startsWith(declaration.kind)).toBe(true);
        expect(text).toBe(text.trim());
      }
    }
  });

  test("the tree does not depend on the indentation of declarations, on line ends, or on tabs", () => {
    for (const { path, text } of programs) {
      const plain = withoutPlaces(parse({ path, text }).file);
      for (const changed of [
        text.replace(/^/gm, "    "),
        text.replaceAll("\n", "\r\n"),
        text.replace(/^ +/gm, (spaces) => "\t".repeat(spaces.length)),
        `\uFEFF${text.trimEnd()}`,
      ]) {
        expect(withoutPlaces(parse({ path, text: changed }).file)).toBe(plain);
      }
    }
  });
});

describe("expressions", () => {
  test.each([
    ["a + b * c ^ d ^ e", "(+ a (* b (^ c (^ d e))))"],
    ["-a ^ 2", "(- (^ a 2))"],
    ["a - b - c", "(- (- a b) c)"],
    ["2 ^ -a", "(^ 2 (- a))"],
    ["a / b @ c mod d", "(mod (@ (/ a b) c) d)"],
    ["a + 1 .. b * 2", "(.. (+ a 1) (* b 2))"],
    ["a < b + 1 and c or not d == e", "(or (and (< a (+ b 1)) c) (not (== d e)))"],
    ["heads divides D", "(divides heads D)"],
    ["x in 1..4", "(in x (.. 1 4))"],
    ["(a + b) * c", "(* (+ a b) c)"],
    ["f(a, b)(c).d", "f(a b)(c).d"],
    ["train + data.test", "(+ train data.test)"],
    ["80%", "0.8"],
    ["55%", "0.55"],
    ["1_000", "1000"],
    ["1e-3", "0.001"],
    ["2e-3", "0.002"],
    ["1.5E2", "150"],
  ])("%s", (text, expected) => {
    expect(shape(value(text))).toBe(expected);
  });

  test("numbers know whether they are written as integers", () => {
    expect(value("64")).toMatchObject({ kind: "number", integer: true });
    expect(value("64.0")).toMatchObject({ kind: "number", integer: false });
    expect(value("1e3")).toMatchObject({ kind: "number", value: 1000, integer: false });
    expect(value("5ms")).toMatchObject({ kind: "quantity", value: 5, unit: "ms" });
    expect(value('"a\\"b\\n"')).toMatchObject({ kind: "string", value: 'a"b\n' });
  });

  test("a span in parentheses leaves the parentheses out, one that begins with them does not", () => {
    const outer = value("(x - m) / s");
    expect(textOf(outer.span)).toBe("(x - m) / s");
    expect(outer.kind === "binary" && textOf(outer.left.span)).toBe("x - m");
  });

  test("a pipeline has its head, labels, operators and blocks as stages", () => {
    const pipeline = value("stem: x -> head: Dense(10) -> + skip -> { relu } -> softmax over S");
    if (pipeline.kind !== "pipeline") throw new Error(pipeline.kind);
    expect(pipeline.head.label?.text).toBe("stem");
    expect(pipeline.stages.map(({ kind, label }) => [kind, label?.text])).toEqual([
      ["value", "head"],
      ["operator", undefined],
      ["block", undefined],
      ["value", undefined],
    ]);
    expect(textOf(pipeline.span)).toMatch(/^stem: x .* over S$/);
  });

  test("a rearrange holds groups, a value in parentheses none", () => {
    const rearrange = value("[B, T=(H W), (P=7 E)] => [B, _, ..S]");
    if (rearrange.kind !== "rearrange" || rearrange.from.kind !== "list") throw new Error(rearrange.kind);
    expect(rearrange.from.items).toMatchObject([
      { kind: "axis", label: undefined, size: { kind: "name", text: "B" } },
      { kind: "axis", label: { text: "T" }, size: { kind: "group", members: [{}, {}] } },
      { kind: "axis", size: { kind: "group", members: [{ name: { text: "P" } }, { name: undefined }] } },
    ]);
    expect(rearrange.to).toMatchObject({
      items: [{ kind: "axis" }, { kind: "axis" }, { kind: "pack", name: { text: "S" } }],
    });
    expect(value("(a)").kind).toBe("name");
    expect(value("(a, b)")).toMatchObject({ kind: "tuple", elements: [{}, {}] });
    expect(value("(score = a)")).toMatchObject({ kind: "tuple", elements: [{ name: { text: "score" } }] });
  });

  test("forms with bodies", () => {
    expect(value("if a == b { x } else { y }")).toMatchObject({
      kind: "if",
      then: { statements: [{ kind: "expression" }] },
      else: { statements: [{ kind: "expression" }] },
    });
    expect(value("x -> repeat 6 shared { f }")).toMatchObject({
      stages: [{ value: { kind: "repeat", shared: true } }],
    });
    expect(value("x -> repeat 6 { f }")).toMatchObject({
      stages: [{ value: { kind: "repeat", shared: false } }],
    });
    expect(value("for c in [1, 2] { f }")).toMatchObject({ kind: "for", variable: { text: "c" } });
    expect(value("residual via g { f }")).toMatchObject({ kind: "residual", via: { text: "g" } });
    expect(value("scan x over T with h = zeros[B, H], c = 0 { yield h }")).toMatchObject({
      kind: "scan",
      sequence: { text: "x" },
      axis: { text: "T" },
      carries: [{ name: { text: "h" } }, { name: { text: "c" } }],
    });
    expect(value('Net[..pool] from "a.safetensors" { layout torch }')).toMatchObject({
      kind: "from",
      file: "a.safetensors",
      base: { kind: "brackets", items: [{ kind: "pack" }] },
      settings: { settings: [{ kind: "call", name: { text: "layout" } }] },
    });
  });

  test("statements", () => {
    const found = statements(
      [
        "weight k : [In] ~ glorot",
        "weight s : [In] = 1",
        "state m = 0",
        "m <- 2",
        "a, b = x",
        "y[i] += x[i]",
        "yield y",
      ]
        .map((line) => `  ${line}`)
        .join("\n"),
    );
    expect(found).toMatchObject([
      { kind: "weight", random: true, type: { kind: "tensor-type" } },
      { kind: "weight", random: false },
      { kind: "state", type: undefined },
      { kind: "update" },
      { kind: "bind", names: [{ text: "a" }, { text: "b" }] },
      { kind: "accumulate", target: { kind: "brackets" } },
      { kind: "yield" },
    ]);
  });
});

describe("declarations", () => {
  test("use, let, and a doc that stands directly above", () => {
    const [from, plain, width, next] = declarations(
      'dlm 1\nuse "./a.dlm" (A, b)\nuse std.text\n\n/// far\n\n/// wide\n/// as *this*\nlet Width: i32 = 64\nlet b = 1 /// behind\n',
    );
    expect(from).toMatchObject({
      kind: "use",
      from: { text: "./a.dlm", quoted: true },
      names: [{ text: "A" }, { text: "b" }],
    });
    expect(plain).toMatchObject({ kind: "use", from: { text: "std.text", quoted: false }, names: undefined });
    expect(width).toMatchObject({ kind: "let", doc: "wide\nas *this*", type: { kind: "named-type" } });
    expect(next).toMatchObject({ doc: "" });
  });

  test("one parameter list means tensors, two mean configuration and tensors", () => {
    const [one, two] = declarations(
      "fn f(x: [..]) -> [..] { x }\nop g(stride = 1)(x: u8[B, H=28], y: int<N=3>[B]) -> (a: [B], b: [B]) where 1 < 2, stride > 0 { x }",
    );
    expect(one).toMatchObject({
      kind: "fn",
      configuration: [],
      tensors: [{ name: { text: "x" } }],
      where: [],
    });
    expect(two).toMatchObject({
      kind: "op",
      configuration: [{ name: { text: "stride" }, type: undefined, default: { value: 1 } }],
      tensors: [
        { type: { kind: "named-type", path: [{ text: "u8" }], axes: [{}, { label: { text: "H" } }] } },
        { type: { bound: { name: { text: "N" }, value: { value: 3 } } } },
      ],
      result: { kind: "record-type", fields: [{ name: { text: "a" } }, { name: { text: "b" } }] },
      where: [{ operator: "<" }, { operator: ">" }],
    });
  });

  test("settings are bindings and calls without parentheses", () => {
    const [data, train] = declarations(
      'data D from csv("a.csv") {\n  input a, b : number as N\n  split train = 80%, test = given\n}\ntrain M on D.train {\n  real = image -> f\n  stage head {\n    freeze all\n  }\n  shuffle off\n}',
    );
    expect(data).toMatchObject({
      kind: "data",
      from: { kind: "call" },
      settings: {
        settings: [
          {
            name: { text: "input" },
            arguments: [{}, {}],
            type: { path: [{ text: "number" }] },
            alias: { text: "N" },
          },
          { name: { text: "split" }, arguments: [{ name: { text: "train" } }, { name: { text: "test" } }] },
        ],
      },
    });
    expect(train).toMatchObject({
      kind: "train",
      on: { kind: "member", name: { text: "train" } },
      settings: {
        settings: [
          { kind: "binding" },
          { kind: "call", settings: { settings: [{ name: { text: "freeze" } }] } },
          { kind: "call", arguments: [{ value: { text: "off" } }] },
        ],
      },
    });
  });
});

describe("newlines", () => {
  test("end a statement, except where it plainly goes on", () => {
    expect(statements("  a = x\n    + 1\n    -> f\n  - 2")).toHaveLength(2);
    expect(statements("  a =\n    b +\n    c\n  f(\n    a\n    ,\n    b\n  )")).toHaveLength(2);
    expect(statements("  a = f(x -> branch {\n    u\n    v\n  })")).toMatchObject([
      { value: { arguments: [{ value: { stages: [{ value: { body: { statements: [{}, {}] } } }] } }] } },
    ]);
  });
});
