/** Workflow blocks: what they become, every diagnostic of theirs with its example, and the texts that people read. */
import { describe, expect, test } from "vitest";
import { cannotReach } from "../compiler/check/diagnostics/dlm0505-cannot-reach.ts";
import { flowDiagnostics } from "../compiler/check/flow/diagnostics/index.ts";
import { requireFailed } from "../compiler/check/flow/diagnostics/dlm0903-require-failed.ts";
import { tooMuchMemory } from "../compiler/check/flow/diagnostics/dlm0904-too-much-memory.ts";
import { noFacts } from "../compiler/check/flow/facts.ts";
import type { Facts } from "../compiler/check/flow/facts.ts";
import { settingTables } from "../compiler/check/flow/setting-tables.ts";
import { report } from "../grammar/diagnostic.ts";
import { render, renderAll } from "../grammar/render.ts";
import { checkText } from "./support/check-text.ts";
import { expectGolden } from "./support/golden.ts";

/** Raised by tools that run a model, not by the checker. */
const byTools = ["DLM0903", "DLM0904"];

/** What is known of the data of an example, where its mistake shows only with that. */
const factsOf: Readonly<Record<string, (text: string) => Facts>> = {
  DLM0606: (text) => {
    const shared = { valid: 0, test: text.includes("drop   duplicates") ? 0 : 312 };
    return { data: new Map([["main.dlm#Houses", { shared }]]) };
  },
  DLM0607: (text) => {
    const missing = { path: "hauses.csv", place: "data/hauses.csv", near: "houses.csv" };
    return text.includes("hauses") ? { data: new Map([["main.dlm#Houses", { missing }]]) } : noFacts;
  },
};

describe("diagnostics of workflow blocks", () => {
  test("codes are different", () => {
    const codes = flowDiagnostics.map((kind) => kind.code);
    expect(new Set(codes).size).toBe(codes.length);
  });

  test.each(
    flowDiagnostics.filter(({ code }) => !byTools.includes(code)).map((kind) => [kind.code, kind] as const),
  )("%s", (code, { example }) => {
    const facts = (text: string): Facts => factsOf[code]?.(text) ?? noFacts;
    const wrong = checkText(example.wrong, facts(example.wrong));
    expect(wrong.diagnostics.map((d) => d.code)).toEqual([code]);
    expectGolden(`flow/${code}.txt`, renderAll(wrong.diagnostics, { color: false, width: 100 }));
    const right = checkText(example.right, facts(example.right));
    expect(renderAll(right.diagnostics)).toBe("");
  });

  test.each(
    flowDiagnostics.filter(({ code }) => byTools.includes(code)).map((kind) => [kind.code, kind] as const),
  )("%s has examples that check clean", (_, { example }) => {
    expect(renderAll(checkText(example.wrong).diagnostics)).toBe("");
    expect(renderAll(checkText(example.right).diagnostics)).toBe("");
  });

  test("DLM0903 and DLM0904 as tools raise them", () => {
    const evaluated = checkText(flowDiagnostics.find((d) => d.code === "DLM0903")!.example.wrong);
    const [required] = evaluated.flow.plans.evaluate[0]!.requires;
    const low = { metric: "r2", value: 0.9712, operator: ">=", required: 0.99, span: required!.span };
    expectGolden("flow/DLM0903.txt", render(report(requireFailed, low)));
    const large = checkText(flowDiagnostics.find((d) => d.code === "DLM0904")!.example.wrong);
    const declaration = large.scope.file.declarations[0]!;
    if (declaration.kind !== "model") throw new Error("the example begins with its model");
    const buffers = [{ name: "parameters, f32[2054000002]", bytes: 8_216_000_008 }];
    const plan = {
      bytes: 8_220_000_000,
      limit: 4_294_967_296,
      entry: "infer",
      span: declaration.name.span,
      buffers,
    };
    expectGolden("flow/DLM0904.txt", render(report(tooMuchMemory, plan)));
  });
});

const houses = `dlm 1

data Houses from csv("houses.csv") {
  input  rooms, age : number
  input  sea : category("near", "far")
  target price : number
  split  train = 80%, valid = 10%, test = 10%
}

model Price(house: Houses) -> [B] {
  concat(house.numbers -> Standardize, house.sea -> OneHot) -> Dense(8) -> relu -> Dense(1) -> squeeze
}
`;

const train = (lines: string): string => `${houses}
train Price on Houses {
${lines}
}
`;

describe("train", () => {
  test("all settings", () => {
    const { flow, diagnostics } = checkText(`${houses}
let rows = 16

train Price on Houses {
  error      = out - price
  loss       fit = mean(error ^ 2) over B, small = mean(out ^ 2) over B
  optimizer  adam(cosine(1e-3, total = 12 * epoch, warmup = 100))
  penalty    l2(1e-4), l1(1e-5)
  clip       1.5
  batch      2 * rows, last = drop
  accumulate rows / 4
  precision  f32
  epochs     12
  steps      900
  seed       3
  shuffle    off
  stop       early, watch = valid.loss, patience = 4
  keep       best, by = valid.r2
  plateau    watch = valid.rmse, factor = 1/2, patience = 3, least = 1e-6
}
`);
    expect(renderAll(diagnostics)).toBe("");
    expect(flow.plans.train).toHaveLength(1);
    expect(flow.plans.train[0]).toMatchObject({
      name: "Price",
      model: "Price",
      data: "main.dlm#Houses",
      split: "train",
      targets: ["price"],
      parts: [
        {
          entry: "train",
          name: undefined,
          loss: { terms: ["fit", "small"] },
          optimizer: { name: "adam", text: "adam(cosine(1e-3, total = 12 * epoch, warmup = 100))" },
          penalty: { l1: 1e-5, l2: 1e-4 },
          clip: 1.5,
        },
      ],
      average: undefined,
      batch: 32,
      last: "drop",
      accumulate: 4,
      precision: "f32",
      epochs: 12,
      steps: 900,
      seed: 3,
      shuffle: false,
      stop: { watch: { split: "valid", metric: "loss", larger: false }, patience: 4 },
      keep: { metric: "r2", larger: true },
      plateau: { watch: { metric: "rmse", larger: false }, factor: 0.5, patience: 3, least: 1e-6 },
    });
  });

  test("defaults", () => {
    const { flow } = checkText(train("  loss mse(out, price)\n  optimizer sgd(0.1)"));
    expect(flow.plans.train[0]).toMatchObject({
      batch: 32,
      last: "keep",
      accumulate: 1,
      precision: "f32",
      epochs: 10,
      seed: 0,
      shuffle: true,
    });
    expect(flow.plans.train[0]!.stop).toBeUndefined();
    expect(flow.plans.train[0]!.plateau).toBeUndefined();
  });

  test.each(["f16", "mixed"])("precision %s: told of once, and what it cannot hold is refused", (written) => {
    const check = (lines: string) => checkText(train(`  loss mse(out, price)\n${lines}`));
    const rule = "  optimizer adam(1e-3, eps = 1e-30)";
    const sound = check(`${rule}\n  precision ${written}`);
    expect(sound.diagnostics.map(({ code, severity }) => `${code} ${severity}`)).toEqual(["DLM0706 note"]);
    expect(sound.flow.plans.train[0]!.precision).toBe("f16");
    const text = (model: string): string => `dlm 1

data Points from arrays("points.npz") {
  input  x : f32[T=5, D=8]
  target y : f32[T=5, D=8]
}

model Deep(x: [B, T=5, D=8]) -> [B, T, D] {
  ${model}
}

train Deep on Points {
  loss mse(out, y) + 1e-30
  ${rule.trim()}
  precision ${written}
}
`;
    const codes = (model: string): string[] => checkText(text(model)).diagnostics.map(({ code }) => code);
    // masks have a number of their own
    expect(codes("x -> MultiHeadAttention(2, causal = true, max = 5) -> LayerNorm")).toEqual(["DLM0706"]);
    expect(codes("x -> Dense(D) -> * 65_519 -> + 3e-8")).toEqual(["DLM0706"]);
    expect(codes("x -> Dense(D) -> * 65_520 -> + 1e-8")).toEqual(["DLM0305", "DLM0305"]);
    // in the steps of a loop
    const steps =
      "scan x over T with h = zeros[B, D] {\n    h = (h -> Dense(D)) * 1e-9 + x\n    yield h\n  }";
    expect(codes(steps)).toEqual(["DLM0305"]);
  });

  test("steps alone: as many epochs as they need", () => {
    const text = train("  loss mse(out, price)\n  optimizer sgd(0.1)\n  batch 32\n  steps 100");
    const splits = { train: 320, valid: 40, test: 40 };
    const facts: Facts = { data: new Map([["main.dlm#Houses", { splits }]]) };
    expect(checkText(text, facts).flow.plans.train[0]).toMatchObject({ steps: 100, epochs: 10 });
    // 10 batches are 3 updates, the last of them by a single batch
    const several = checkText(`${text.trimEnd().slice(0, -1)}  accumulate 4\n}\n`, facts);
    expect(several.flow.plans.train[0]).toMatchObject({ steps: 100, epochs: 34 });
  });

  const wrong: readonly (readonly [string, string, string])[] = [
    ["no batch to accumulate", "  loss mse(out, price)\n  optimizer sgd(0.1)\n  accumulate 0", "DLM0121"],
    ["half a batch more", "  loss mse(out, price)\n  optimizer sgd(0.1)\n  accumulate 2.5", "DLM0121"],
    ["batches without a number", "  loss mse(out, price)\n  optimizer sgd(0.1)\n  accumulate", "DLM0121"],
    ["another number type", "  loss mse(out, price)\n  optimizer sgd(0.1)\n  precision bf16", "DLM0121"],
    [
      "a number type that is a number",
      "  loss mse(out, price)\n  optimizer sgd(0.1)\n  precision 16",
      "DLM0121",
    ],
    ["a loss that is no number", '  loss "big"\n  optimizer sgd(0.1)', "DLM0121"],
    ["an optimizer that does not exist", "  loss mse(out, price)\n  optimizer adamm(0.1)", "DLM0101"],
    ["a function as the optimizer", "  loss mse(out, price)\n  optimizer relu", "DLM0121"],
    ["an optimizer without its rate", "  loss mse(out, price)\n  optimizer adam()", "DLM0109"],
    [
      "an argument that the optimizer does not have",
      "  loss mse(out, price)\n  optimizer adam(1e-3, beta = 0.9)",
      "DLM0102",
    ],
    ["a schedule without its length", "  loss mse(out, price)\n  optimizer adam(cosine(1e-3))", "DLM0109"],
    ["a column of another name", "  loss mse(out, cost)\n  optimizer sgd(0.1)", "DLM0101"],
    [
      "watching what is not measured",
      "  loss mse(out, price)\n  optimizer sgd(0.1)\n  keep best, by = loss",
      "DLM0121",
    ],
    [
      "choosing by the test split",
      "  loss mse(out, price)\n  optimizer sgd(0.1)\n  keep best, by = test.loss",
      "DLM0121",
    ],
    [
      "a plateau of nothing",
      "  loss mse(out, price)\n  optimizer sgd(0.1)\n  plateau factor = 0.5",
      "DLM0121",
    ],
    ["a plateau that climbs", "  loss mse(out, price)\n  optimizer sgd(0.1)\n  plateau watch = valid.loss, factor = 2", "DLM0121"], // prettier-ignore
    ["what is not built", "  loss mse(out, price)\n  optimizer sgd(0.1)\n  log every = 100", "DLM0120"],
    ["an unknown part", "  loss mse(out, price)\n  optimizer sgd(0.1)\n  freeze headd", "DLM0101"],
  ];
  test.each(wrong)("%s", (_, lines, code) => {
    expect(checkText(train(lines)).diagnostics.map((d) => d.code)).toEqual([code]);
  });

  const rule = (body: string): string =>
    `${train("  loss mse(out, price)\n  optimizer mine(0.1)")}
optimizer mine(rate) {
${body}
}
`;
  test.each([
    ["a norm", "  w <- w - rate * g / sqrt(sum(g * g) over [..])", "g / sqrt(sum(g * g) over [..])"],
    ["a mean of a state, in an early line", "  state m = 0\n  c = mean(m) over [..]\n  m <- g + c\n  w <- w - rate * g", "mean(m) over [..]"], // prettier-ignore
    ["a function that does it", "  if true {\n    w <- w - rate * (g -> softmax over [..])\n  }", "softmax"],
  ])("an optimizer that brings weights together: %s", (_, body, at) => {
    const { diagnostics } = checkText(rule(body));
    expect(diagnostics.map((d) => d.code)).toEqual(["DLM0121"]);
    expect(diagnostics[0]!.message).toBe("`optimizer` needs a rule that treats each weight by itself");
    const { span } = diagnostics[0]!.primary;
    expect(span.source.text.slice(span.start, span.end)).toContain(at);
  });

  test("a plateau needs an optimizer with a rate", () => {
    const lines = "  loss mse(out, price)\n  optimizer mine()\n  plateau watch = valid.loss";
    const { diagnostics } = checkText(`${train(lines)}
optimizer mine() {
  w <- w - 0.1 * g
}
`);
    expect(diagnostics.map((d) => d.message)).toEqual(["`plateau` needs an optimizer with a `rate`"]);
  });

  test("an optimizer that knows how long each weight is", () => {
    const body = "  w <- w - rate * g / max(weight_norm(0.5 * g), 1e-8)";
    expect(checkText(rule(body)).diagnostics).toEqual([]);
    const wrong = checkText(
      rule("  w <- w - rate * weight_norm(g / sqrt(sum(g * g) over [..]))"),
    ).diagnostics;
    expect(wrong.map((d) => d.message)).toEqual([
      "`optimizer` needs a rule that treats each weight by itself",
    ]);
    const scalar = checkText(rule("  w <- w - rate * g * weight_norm(step)")).diagnostics;
    expect(scalar.map((d) => d.code)).toEqual(["DLM0114"]);
  });

  test("an optimizer that treats each weight by itself", () => {
    const body = `  state m = 0.5
  size = abs(detach(g))
  c = select(size > 1, min(g, 1), exp(step * log(0.5)))
  m <- 0.5 * m + c ^ 2
  w <- w - rate * c`;
    expect(checkText(rule(body)).diagnostics).toEqual([]);
  });

  test("a model of other data, and a parameter that is no column", () => {
    const other = `${houses}
model Other(size: [B, D=2]) -> [B] {
  size -> Dense(1) -> squeeze
}

train Other on Houses {
  loss mse(out, price)
  optimizer sgd(0.1)
}
`;
    expect(checkText(other).diagnostics.map((d) => d.code)).toEqual(["DLM0605"]);
  });
});

describe("DLM0505", () => {
  const facts = (trainLeast: number): Facts => {
    const columns = new Map([
      ["wind", { kind: "number" as const }],
      ["sun", { kind: "number" as const }],
      ["degrees", { kind: "number" as const, trainLeast }],
    ]);
    return { data: new Map([["main.dlm#Weather", { columns }]]) };
  };

  test("is raised where a target is negative", () => {
    const { wrong, right } = cannotReach.example;
    const found = checkText(wrong, facts(-7)).diagnostics;
    expect(found.map((d) => d.code)).toEqual(["DLM0505"]);
    expectGolden("flow/DLM0505.txt", renderAll(found, { color: false, width: 100 }));
    expect(checkText(wrong, facts(0)).diagnostics).toEqual([]);
    expect(checkText(wrong).diagnostics).toEqual([]);
    expect(checkText(right, facts(-7)).diagnostics).toEqual([]);
  });
});

describe("evaluate and deploy", () => {
  test("metrics, reports and requirements", () => {
    const { flow, diagnostics } = checkText(`${train("  loss mse(out, price)\n  optimizer sgd(0.1)")}
evaluate Price on Houses.test {
  metrics  mae, rmse, r2, loss
  report   by = sea
  require  r2 >= 75%, mae < 100
}
`);
    expect(renderAll(diagnostics)).toBe("");
    const [plan] = flow.plans.evaluate;
    expect(plan).toMatchObject({ split: "test", target: "price", task: "regression" });
    expect(plan!.metrics.map((m) => m.text)).toEqual(["mae", "rmse", "r2", "loss"]);
    expect(plan!.reports).toMatchObject([{ kind: "by", column: "sea" }]);
    expect(plan!.requires.map((r) => [r.text, r.metric.name, r.operator, r.value])).toEqual([
      ["r2 >= 75%", "r2", ">=", 0.75],
      ["mae < 100", "mae", "<", 100],
    ]);
  });

  test("what is not built is refused, each by one message", () => {
    const { diagnostics } = checkText(`${houses}
deploy Price {
  target   webgpu, wasm
  weights  int8
  serve    http, port = 8080
}
`);
    expect(diagnostics.map((d) => [d.code, d.message])).toEqual([
      ["DLM0120", "this version of dlmc does not build weights stored as `int8`"],
      ["DLM0120", "this version of dlmc does not build `serve` in `deploy`"],
    ]);
  });
});

describe("setting tables", () => {
  test("every setting is documented, and its signature begins with its name", () => {
    for (const { settings } of settingTables)
      for (const { name, signature, doc } of settings) {
        expect(signature.startsWith(name), signature).toBe(true);
        expect(doc.endsWith("."), doc).toBe(true);
      }
  });
});
