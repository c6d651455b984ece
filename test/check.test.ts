/** The checker on whole programs: what checks clean, what it counts, and that nothing makes it fail. */
import { describe, expect, test } from "vitest";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { check, modelsOf, summarise } from "../compiler/check/check.ts";
import type { Checked } from "../compiler/check/check.ts";
import { createFlow } from "../compiler/check/flow/flow.ts";
import { noFacts } from "../compiler/check/flow/facts.ts";
import { showType } from "../compiler/check/type.ts";
import { librarySources } from "../compiler/library/sources.ts";

const folder = join(import.meta.dirname, "programs");

function read(name: string): string {
  return readFileSync(join(folder, name), "utf8");
}

function checkText(text: string, path = "main.dlm"): Checked {
  return check({
    path,
    read: (wanted) => (wanted === path ? { path, text } : undefined),
    hooks: createFlow(noFacts).hooks,
  });
}

function codes(checked: Checked): string[] {
  return checked.diagnostics.map(({ code, message }) => `${code} ${message}`);
}

/** Parameters of each model of a text that checks clean. */
function parameters(text: string): Record<string, number> {
  const checked = checkText(text);
  expect(codes(checked)).toEqual([]);
  return Object.fromEntries(
    modelsOf(checked.scope!).map((model) => {
      const { name, parameters: count } = summarise(checked.session, checked.scope!, model);
      return [name, count];
    }),
  );
}

/** A program without its workflow blocks, which have tests of their own. */
function modelsOnly(text: string): string {
  return text.replace(/^(deploy|evaluate|train|tune) [\s\S]*?^\}\n/gm, "");
}

describe("programs", () => {
  test("parameter totals", () => {
    expect(parameters(modelsOnly(read("fashion.dlm")))).toEqual({ Cnn: 421_642 });
    expect(parameters(modelsOnly(read("resnet.dlm")))).toEqual({ ResNet18: 11_689_512 });
    const gpt = modelsOnly(read("gpt.dlm")).replace(/^data [\s\S]*?^\}\n/m, "");
    expect(parameters(gpt.replace("Stories.Vocab", "4096"))).toEqual({ Gpt: 12_318_720 });
    expect(parameters(read("vit.dlm"))).toEqual({ ViT: 5_717_416, Patches: 0 });
    expect(parameters(read("tied.dlm"))).toEqual({ Tied: 25_904, TiedNamed: 25_904 });
  });

  test.each(["misc.dlm", "unet.dlm", "inception.dlm"])("%s checks clean", (name) => {
    expect(codes(checkText(read(name)))).toEqual([]);
  });

  test("price: a record of columns, one of whose sizes the data will pin", () => {
    const checked = checkText(modelsOnly(read("price.dlm")));
    expect(codes(checked)).toEqual([]);
    const [price] = modelsOf(checked.scope!);
    const { elaborated } = summarise(checked.session, checked.scope!, price!);
    const { result } = elaborated;
    expect(result.kind === "tensor" && showType(result.type)).toBe("[B]");
    const kernel = [...elaborated.elaboration.requested.values()].find(
      ({ request }) => request.path === "dense0.kernel",
    );
    expect(kernel && showType(kernel.request.type)).toBe("[In=Housing.ocean + 8, Out=64]");
  });

  test("what later issues build is refused by name, and by nothing else", () => {
    for (const name of ["charlstm.dlm", "gpt.dlm", "bilstm.dlm", "pets.dlm"]) {
      const found = checkText(read(name)).diagnostics.filter(({ code }) => !code.startsWith("DLM012"));
      // columns of a source that is not read, a package that is not there, and f16 that is computed in f32
      const expected = ["DLM0605", "DLM0113", "DLM0706"];
      expect(found.map(({ code }) => code).filter((code) => !expected.includes(code))).toEqual([]);
    }
  });

  test("the table of the CNN", () => {
    const checked = checkText(modelsOnly(read("fashion.dlm")));
    const { rows, flops } = summarise(checked.session, checked.scope!, modelsOf(checked.scope!)[0]!);
    expect(rows.map((row) => [row.text, showType(row.type), row.parameters])).toEqual([
      ["image", "u8[B, H=28, W=28, C=1]", 0],
      ["scale(1/255)", "[B, H=28, W=28, C=1]", 0],
      ["Conv(32, 3)", "[B, H=28, W=28, 32]", 320],
      ["relu", "[B, H=28, W=28, 32]", 0],
      ["maxpool(2)", "[B, H=14, W=14, 32]", 0],
      ["Conv(64, 3)", "[B, H=14, W=14, 64]", 18_496],
      ["relu", "[B, H=14, W=14, 64]", 0],
      ["maxpool(2)", "[B, H=7, W=7, 64]", 0],
      ["flatten", "[B, 3,136]", 0],
      ["dropout(0.5)", "[B, 3,136]", 0],
      ["Dense(128)", "[B, 128]", 401_536],
      ["relu", "[B, 128]", 0],
      ["Dense(10)", "[B, 10]", 1_290],
    ]);
    expect(flops).toBe(2 * (28 * 28 * 9 * 32 + 14 * 14 * 9 * 32 * 64 + 3136 * 128 + 128 * 10));
  });
});

describe("the library", () => {
  test.each(Object.keys(librarySources))("%s: every declaration checks alone, and is documented", (name) => {
    const checked = checkText(librarySources[name]!, `${name}.dlm`);
    expect(codes(checked)).toEqual([]);
    for (const declaration of checked.scope!.file.declarations) expect(declaration.doc).not.toBe("");
  });
});

describe("files", () => {
  const files: Record<string, string> = {
    "a/main.dlm":
      'dlm 1\n\nuse "./blocks.dlm" (Block)\nuse "../sizes.dlm" (Width)\n\nmodel M(x: [B, D=8]) -> [B, Width] {\n  x -> Block(Width)\n}\n',
    "a/blocks.dlm": "dlm 1\n\nmodule Block(Out)(x: [.., In]) -> [.., Out] {\n  x -> Dense(Out) -> relu\n}\n",
    "sizes.dlm": "dlm 1\n\nlet Width = 12\n",
  };
  const readFile = (path: string) => {
    const text = files[path];
    return text === undefined ? undefined : { path, text };
  };

  test("use finds modules and lets relative to the file", () => {
    expect(codes(check({ path: "a/main.dlm", read: readFile }))).toEqual([]);
  });

  test("files that use each other", () => {
    const round: Record<string, string> = {
      "a.dlm": 'dlm 1\n\nuse "./b.dlm" (F)\n\nmodule G(x: [.., D]) -> [.., D] {\n  x -> F\n}\n',
      "b.dlm": 'dlm 1\n\nuse "./a.dlm" (G)\n\nmodule F(x: [.., D]) -> [.., D] {\n  x -> Dense(D)\n}\n',
    };
    const found = check({
      path: "a.dlm",
      read: (path) => (round[path] === undefined ? undefined : { path, text: round[path] }),
    });
    expect(found.diagnostics.map(({ code }) => code)).toEqual(["DLM0108"]);
    expect(found.diagnostics[0]!.labels.length).toBe(1);
  });

  test("one mistake in a module that is used twice is one message", () => {
    const text = `dlm 1

module Block(x: [B, D]) -> [B, D] {
  x -> Dense(4)
}

model M(x: [B, D=8]) -> [B, D] {
  x -> Block -> Block
}
`;
    expect(checkText(text).diagnostics.map(({ code }) => code)).toEqual(["DLM0208"]);
  });

  test("a mistake that only the sizes of a use show names the use", () => {
    const text = `dlm 1

module Down(x: [B, H, W, C]) -> [B, _, _, C] {
  x -> maxpool(2, pad = valid) -> maxpool(2, pad = valid)
}

model M(x: [B, H=3, W=3, C=8]) -> [B, _, _, C] {
  x -> Down
}
`;
    const { diagnostics } = checkText(text);
    expect(diagnostics.map(({ code }) => code)).toEqual(["DLM0206"]);
  });
});

describe("names and labels", () => {
  const model = (body: string): string => `dlm 1\n\nmodel M(x: [B, D=8]) -> [B, _] {\n  ${body}\n}\n`;

  test("labels of stages that hold nothing are names too", () => {
    expect(checkText(model("x -> a: relu -> a: Dense(4)")).diagnostics.map(({ code }) => code)).toEqual([
      "DLM0105",
    ]);
    expect(codes(checkText(model("x -> a: relu -> b: Dense(4)")))).toEqual([]);
  });

  test("a part of the library may be named", () => {
    expect(
      codes(checkText(model("x -> Dense(4)").replace("model", "use std.layers (Dense)\n\nmodel"))),
    ).toEqual([]);
    const found = checkText(model("x -> Dense(4)").replace("model", "use std.nothing (Dense)\n\nmodel"));
    expect(found.diagnostics.map(({ code }) => code)).toEqual(["DLM0113"]);
  });

  test("a user's folder may be called std", () => {
    expect(checkText(model("x -> Dens(4)"), "std/main.dlm").diagnostics.map(({ code }) => code)).toEqual([
      "DLM0101",
    ]);
  });

  test("a module may be configuration, whatever it is", () => {
    const text = `dlm 1

module Pre(Norm, act)(x: [.., D]) -> [.., D] {
  x -> residual { Norm -> Dense(D) -> act }
}

model M(x: [B, D=8]) -> [B, D] {
  x -> Pre(LayerNorm, relu) -> Pre(BatchNorm, gelu)
}
`;
    expect(codes(checkText(text))).toEqual([]);
    expect(parameters(text)).toEqual({ M: 2 * (16 + 72) });
  });

  test("phases: a state that training updates is only read in use", () => {
    const text = `dlm 1

module Center(x: [B, D]) -> [B, D] {
  state m : [D] = 0
  if training {
    m <- 0.9 * m + 0.1 * (mean(x) over B)
    x - m
  } else { x - m }
}

model M(x: [B, D=8]) -> [B, D] {
  x -> Center
}
`;
    expect(codes(checkText(text))).toEqual([]);
  });
});

/** the library says which numbers it takes */
const outOfRange = [
  "maxpool(0)",
  "maxpool(2, stride = 0)",
  "avgpool(0)",
  "Conv(8, 0)",
  "Conv(8, 3, stride = 0)",
];

describe("impossible numbers are refused, by one message, before anything is built", () => {
  test.each([
    "maxpool(0)",
    "maxpool(17)",
    "maxpool(2, stride = 0)",
    "maxpool(2, pad = 3)",
    "avgpool(0)",
    "Conv(8, 0)",
    "Conv(0, 3)",
    "Conv(-4, 3)",
    "Conv(8, 3, stride = 0)",
    "Conv(8, 3, pad = -5)",
    "Conv(8, 90_000_000)",
    "Dense(9_007_199_254_740_991)",
    "Dense(10 ^ 30)",
    "Dense(8 / 0)",
    "expand(B mod 0)",
    "expand(-B)",
    "repeat 3_000_000 { relu }",
    "repeat 200 { repeat 200 { relu } }",
    "split(4_000_000)",
    "+ 1e400",
    "scale(1e39)",
  ])("%s", (stage) => {
    const { diagnostics } = checkText(
      `dlm 1\n\nmodel M(x: [B, H=28, W=28, C=4]) -> _ {\n  x -> ${stage}\n}\n`,
    );
    expect(diagnostics.map(({ code }) => code)).toEqual([outOfRange.includes(stage) ? "DLM0202" : "DLM0114"]);
  });

  test("a product of sizes that no number can hold", () => {
    const { diagnostics } = checkText(
      "dlm 1\n\nmodel M(x: [B, D=8]) -> _ {\n  x -> expand(2_000_000_000) -> expand(2_000_000_000) -> flatten\n}\n",
    );
    expect(diagnostics.map(({ code }) => code)).toEqual(["DLM0114"]);
  });
});

describe("broken programs", () => {
  /** The text without one word or sign, for each of them in turn. */
  function* mutants(text: string): Generator<string> {
    let count = 0;
    for (const match of text.matchAll(/\w+|->|=>|<-|[^\w\s]/g))
      if (count++ % 3 === 0) yield text.slice(0, match.index) + text.slice(match.index + match[0].length);
  }

  test.each(["vit.dlm", "misc.dlm", "twoheads.dlm", "price.dlm"])(
    "%s without any one of its words",
    (name) => {
      for (const text of mutants(read(name))) expect(() => checkText(text)).not.toThrow();
    },
  );

  test("cut off at any place", () => {
    const text = read("resnet.dlm");
    for (let end = 0; end < text.length; end += 7) expect(() => checkText(text.slice(0, end))).not.toThrow();
  });
});

describe("speed", () => {
  test("a program is checked in under 50 ms once the code is warm", () => {
    const text = read("fashion.dlm");
    const times = Array.from({ length: 15 }, () => {
      const start = performance.now();
      checkText(text);
      return performance.now() - start;
    });
    expect(Math.min(...times)).toBeLessThan(50);
  });
});

describe("a list of numbers is a tensor where one is taken", () => {
  const weighted = (call: string): string[] =>
    checkText(`dlm 1

model M(x: [B, D=8], label: int<3>[B]) -> [] {
  ${call}
}
`).diagnostics.map(({ code }) => code);

  test.each([
    ["as many as there are classes", "weighted_cross_entropy(x -> Dense(3), label, [1, 0.5, 2])", []],
    ["a number for all", "weighted_cross_entropy(x -> Dense(3), label, 1)", []],
    ["too few", "weighted_cross_entropy(x -> Dense(3), label, [1, 2])", ["DLM0401"]],
    ["of other things", "weighted_cross_entropy(x -> Dense(3), label, [1, 2, x])", ["DLM0114"]],
    ["empty", "weighted_cross_entropy(x -> Dense(3), label, [])", ["DLM0114"]],
    ["never ids", "cross_entropy(x -> Dense(3), [0, 1, 2])", ["DLM0302"]],
    ["a class to ignore that there is not", "cross_entropy(x -> Dense(3), label, ignore = 3)", ["DLM0202"]],
  ])("%s", (_, call, expected) => expect(weighted(call)).toEqual(expected));
});

describe("ctc", () => {
  const codes = (call: string): string[] =>
    checkText(`dlm 1

model M(x: [B, T, D=8], word: int<5>[B, L=3], frames: [B], ids: int<9>[B]) -> [] {
  ${call}
}
`).diagnostics.map(({ code }) => code);

  test.each([
    ["all steps of every row", "ctc(x -> Dense(5), word)", []],
    ["so many of each row", "ctc(x -> Dense(5), word, steps = frames)", []],
    ["as many of all rows", "ctc(x -> Dense(5), word, steps = 4)", []],
    ["numbers of steps are no classes", "ctc(x -> Dense(5), word, ids)", ["DLM0303"]],
    ["other classes than the targets", "ctc(x -> Dense(4), word)", ["DLM0301"]],
    ["it applies softmax itself", "ctc(x -> Dense(5) -> softmax over last, word)", ["DLM0501"]],
  ])("%s", (_, call, expected) => expect(codes(call)).toEqual(expected));
});
