/** Models that generate: the entry step against whole sequences, in f64 and on wasm, and what cannot be decoded is refused. */
import { describe, expect, test } from "vitest";
import { blockFrame } from "../compiler/check/flow/block.ts";
import { evaluateName } from "../compiler/check/lookup.ts";
import { compileModel } from "../compiler/compile.ts";
import { modelGraphs } from "../compiler/entries/model-graphs.ts";
import { isNode } from "../compiler/ir/graph.ts";
import type { Graph } from "../compiler/ir/graph.ts";
import type { ModelGraphs } from "../compiler/ir/model.ts";
import { elementCount, tensor, type Tensor } from "../compiler/ir/tensor.ts";
import { evaluate } from "../compiler/reference/evaluate.ts";
import { renderAll } from "../grammar/render.ts";
import { load, type Model, type Sample, type Token } from "../runtime/index.ts";
import { choose } from "../runtime/sample.ts";
import { checkText } from "./support/check-text.ts";
import { scaled } from "./support/item-inputs.ts";

const tokens = 11;
const longest = 13;

const program = (body: string, more = ""): string => `dlm 1

let Width = 8
let most  = ${longest}
${more}
model M(text: int<Tokens=${tokens}>[B, T]) -> [B, T, ${tokens}]
  where T <= most
{
  ${body}
}

deploy M {
  generate text, max = most
}
`;

/** Written out with the language's own words, as in a program of a user. */
const own = `
module Attention(heads, most)(x: [B, T, D]) -> [B, T, D]
  where heads divides D
{
  q, k, v = x -> qkv: Dense(3 * D) -> [B, T, (3 heads E)] => [3, B, heads, T, E]
  k = k -> cache(T as S, max = most)
  v = v -> cache(T as S, max = most)
  dot(q, k) over E -> / sqrt(E) -> mask(causal(T, S)) -> softmax over S -> dot(v) over S
    -> [B, heads, T, E] => [B, T, (heads E)] -> out: Dense(D)
}
`;

const models: Readonly<Record<string, string>> = {
  "learned positions and tied weights": program(
    `wte = Embed(Width)
  wpe = Embed(Width)
  wte(text) + wpe(position(T, max = most)) -> repeat 2 { residual { LayerNorm -> Attention(2, most) } }
    -> LayerNorm -> dot(wte.table) over Width`,
    own,
  ),
  "rotary positions and grouped queries": program(
    `text -> Embed(Width)
    -> repeat 2 { TransformerEncoder(4, 12, groups = 2, rotary = true, causal = true, max = most, norm = RMSNorm) }
    -> Dense(${tokens})`,
  ),
  "blocks that normalise last": program(
    `text -> Embed(Width) -> LearnedPosition(20)
    -> TransformerEncoder(2, 9, norm_first = false, act = relu, causal = true, max = 20) -> Dense(${tokens})`,
  ),
  "a token that nothing looks at": program(
    `text -> Embed(Width) -> TransformerEncoder(2, 9, causal = true, max = 20)(_, text != 3) -> Dense(${tokens})`,
  ),
  "a masked sum of what was kept": program(
    `x = text -> Embed(Width)
  all = x -> cache(T as S, max = most)
  select(causal(T, S), dot(x, all) over Width, 0) -> dot(all) over S -> Dense(${tokens})`,
  ),
  "recurrent layers": program(
    `text -> Embed(Width) -> Lstm(6) -> residual { Gru(6) } -> Rnn(5) -> Dense(${tokens})`,
  ),
  "a scan that starts with ones, behind attention": program(
    `x = text -> Embed(Width) -> TransformerEncoder(2, 9, causal = true, max = 20)
  scan x over T with h = ones[B, Width], n = 0 {
    n = n + 1
    h = 0.5 * h + x / n
    yield h
  } -> Dense(${tokens})`,
  ),
  "no memory at all": program(`text -> Embed(Width) -> Dense(12) -> gelu -> Dense(${tokens})`),
};

function graphsOf(text: string): ModelGraphs {
  const { session, scope, flow, diagnostics } = checkText(text);
  expect(renderAll(diagnostics)).toBe("");
  const { span } = scope.file;
  const model = evaluateName(blockFrame(session, scope, "inference", undefined), {
    kind: "name",
    text: "M",
    span,
  });
  if (model.kind !== "callable") throw new Error("M is no model");
  const generate = flow.plans.deploy[0]?.generate;
  return modelGraphs({
    session,
    scope,
    model,
    train: undefined,
    data: [],
    generate,
    entries: ["init", "infer", "step"],
  });
}

function entryOf(graphs: ModelGraphs, name: string): Graph {
  return graphs.entries.find(({ graph }) => graph.name === name)!.graph;
}

/** 50 prompts would be the same thing again: these differ in length and content. */
const sequences = [1, 2, 3].map((seed) =>
  Array.from({ length: longest }, (_, i) => (seed * 7 + i * i * 3 + i * seed) % tokens),
);

describe("a step of the reference gives what the whole sequence gives there", () => {
  test.each(Object.entries(models))("%s", (_, text) => {
    const graphs = graphsOf(text);
    const whole = entryOf(graphs, "infer");
    const step = entryOf(graphs, "step");
    const weights = new Map<string, Tensor>();
    for (const { source } of whole.inputs) {
      if (isNode(source) || source.role === "input") continue;
      const shape = source.type.shape.map((size) => Number(size.key));
      weights.set(source.name, tensor("f32", shape, scaled(source.name, elementCount(shape), -0.5, 0.5)));
    }
    for (const ids of sequences)
      for (const prompt of [1, 4, longest]) {
        const expected = evaluate(
          whole,
          new Map([...weights, ["text", tensor("i32", [1, longest], ids)]]),
          new Map([
            ["B", 1],
            ["T", longest],
          ]),
        ).outputs.get("out")!.data;
        // what lies in memory from an earlier text must not matter
        const kept = new Map<string, Tensor>();
        for (const { source } of step.inputs)
          if (!isNode(source) && source.role === "state") {
            const shape = source.type.shape.map((size) => Number(size.key));
            const numbers = scaled(source.name, elementCount(shape), -9, 9);
            const { dtype } = source.type;
            kept.set(
              source.name,
              tensor(dtype, shape, dtype === "bool" ? numbers.map((n) => Number(n > 0)) : numbers),
            );
          }
        const found: number[] = [];
        for (let at = 0; at < longest;) {
          const next = at === 0 ? prompt : 1;
          const given = tensor("i32", [1, next], ids.slice(at, at + next));
          const inputs = new Map([
            ...weights,
            ...kept,
            ["text", given] as const,
            ["offset", tensor("i32", [], [at])] as const,
          ]);
          const wanted = new Map(step.inputs.flatMap(({ source }) => (isNode(source) ? [] : [[source.name, inputs.get(source.name)!] as const]))); // prettier-ignore
          const { outputs, writes } = evaluate(step, wanted, new Map([["T", next]]));
          for (const [name, value] of writes) kept.set(name, value);
          found.push(...outputs.get("out")!.data);
          at += next;
        }
        expect(found.length).toBe(expected.length);
        found.forEach((x, i) => expect(Math.abs(x - expected[i]!)).toBeLessThan(1e-12));
      }
  });
});

describe("what cannot be decoded is refused at its place", () => {
  const attend = (middle: string): string =>
    `x = text -> Embed(Width)
  all = x -> cache(T as S, max = most)
  dot(x, all) over Width -> ${middle} -> dot(all) over S -> Dense(${tokens})`;
  test.each([
    [
      "a mean over all positions",
      `text -> Embed(Width) -> + (mean(_) over T) -> Dense(${tokens})`,
      "mean(_) over T",
    ],
    ["a softmax along T", `text -> Embed(Width) -> softmax over T -> Dense(${tokens})`, "softmax over T"],
    ["a window", `text -> Embed(Width) -> Conv1(Width, 3) -> Dense(${tokens})`, "Conv1(Width, 3)"],
    ["the order turned around", `text -> Embed(Width) -> flip over T -> Dense(${tokens})`, "flip over T"],
    [
      "attention to what is not kept",
      `text -> Embed(Width) -> MultiHeadAttention(2) -> Dense(${tokens})`,
      "MultiHeadAttention(2)",
    ],
    ["no mask", attend("softmax over S"), "softmax over S"],
    ["a mask that comes too late", attend("softmax over S -> mask(causal(T, S))"), "softmax over S"],
    ["a mask that is not hidden by its number", attend("mask(causal(T, S))"), "dot(all) over S"],
    ["a mask of another number", attend("select(causal(T, S), _, 1)"), "dot(all) over S"],
    [
      "the sum of what was kept",
      "x = text -> Embed(Width) ; all = x -> cache(T as S, max = most) ; x -> + (sum(all) over S) -> Dense(11)".replaceAll(
        " ; ",
        "\n  ",
      ),
      "sum(all) over S",
    ],
  ])("%s", (_, body, place) => {
    const { diagnostics } = checkText(program(body));
    const found = diagnostics.map(({ code, labels }) => [code, ...labels.map(({ span }) => span.source.text.slice(span.start, span.end))]); // prettier-ignore
    expect(found, renderAll(diagnostics)).toEqual([["DLM0504", place]]);
  });
});

describe("settings of generate", () => {
  const wide = models["blocks that normalise last"]!;
  test.each([
    ["generate text, max = most, sample = greedy", []],
    ["generate text, max = most, sample = top_k(3, temperature = 0.5)", []],
    ["generate text, max = 20, sample = top_p(90%)", []],
    ["generate text, max = 21", ["`generate` needs no more positions than the model has room for"]],
    ["generate text", ["`max` needs a whole number of at least 1"]],
    ["generate words, max = 9", ["`generate` needs the input of tokens that it makes longer"]],
    ["generate text, max = 9, sample = top_k(0)", ["`top_k` needs a whole number of at least 1"]],
    ["generate text, max = 9, sample = top_p(2)", ["`top_p` needs a number above 0 and at most 1"]],
    ["generate text, max = 9, sample = temperature(0)", ["`temperature` needs a number above 0"]],
    ["generate text, max = 9, sample = beam(3)", [expect.stringMatching(/^`sample` needs `greedy`/)]],
    ["generate text, max = 9, sample = temperature(1, 2)", [expect.stringMatching(/^`sample` needs/)]],
  ])("%s", (line, expected) => {
    const { diagnostics } = checkText(wide.replace("generate text, max = most", line));
    expect(diagnostics.map(({ message }) => message)).toEqual(expected);
  });

  test("a model that gives no scores of tokens", () => {
    const text = program("text -> Embed(Width) -> Dense(12)").replace(
      `-> [B, T, ${tokens}]`,
      "-> [B, T, 12]",
    );
    expect(checkText(text).diagnostics.map(({ message }) => message)).toEqual([
      "`generate` needs a model that gives the scores of the next token at each position",
    ]);
  });

  test("an input that is no sequence of tokens", () => {
    const text = `dlm 1\n\nmodel M(x: [B, T, D=4]) -> [B, T, D=4] {\n  x -> relu\n}\n\ndeploy M {\n  generate x, max = 4\n}\n`;
    expect(checkText(text).diagnostics.map(({ message }) => message)).toEqual([
      "`generate` needs an input of tokens in sequences of any length",
    ]);
  });
});

describe("generate on wasm", () => {
  const names = ["strict", "relaxed"] as const;
  async function opened(text: string, kind: (typeof names)[number] = "strict"): Promise<Model> {
    const compiled = await compileModel(graphsOf(text), { version: "0", relaxed: kind === "relaxed" });
    const { artifact } = compiled[kind] ?? {};
    return load(artifact!, { seed: 5, max: { B: 1 } });
  }
  const all = async (tokens: AsyncIterable<Token>): Promise<number[]> => {
    const ids: number[] = [];
    for await (const { id } of tokens) ids.push(id);
    return ids;
  };

  test.each(
    Object.entries(models).flatMap(([name, text]) => names.map((kind) => [name, kind, text] as const)),
  )("%s, %s: greedy tokens, and scores within 1e-4 of those of whole sequences", async (_, kind, text) => {
    const model = await opened(text, kind);
    for (const ids of sequences)
      for (const length of [1, 5, longest - 1]) {
        const prompt = ids.slice(0, length);
        const found = await all(model.generate(prompt));
        expect(found.length).toBe(longest - length);
        // without anything kept: the whole sequence anew for each token
        const whole = [...prompt, ...found];
        const { out } = await model.call("infer", { text: whole }, { dims: { B: 1, T: longest } });
        for (let at = length; at < longest; at++) {
          const scores = (out as Float32Array).subarray((at - 1) * tokens, at * tokens);
          const best = Math.max(...scores);
          expect(best - scores[whole[at]!]!).toBeLessThan(1e-4);
          model.control.offset = 0;
          const step = (await model.call("step", { text: whole.slice(0, at) }))["out"] as Float32Array;
          scores.forEach((score, i) => expect(Math.abs(step[step.length - tokens + i]! - score)).toBeLessThan(1e-4)); // prettier-ignore
        }
      }
  });

  test("the same seed gives the same tokens, another one others; max and signal end it", async () => {
    const model = await opened(models["blocks that normalise last"]!);
    const sample = { kind: "temperature", temperature: 5 } as const;
    const made = (seed: number, max?: number) =>
      all(model.generate([1, 2], { seed, sample, ...(max === undefined ? {} : { max }) }));
    const first = await made(1);
    expect(await made(1)).toEqual(first);
    expect(await made(2)).not.toEqual(first);
    expect(await made(1, 3)).toEqual(first.slice(0, 3));
    expect(await made(1, 0)).toEqual([]);
    const abort = new AbortController();
    const begun = model.generate([1], { signal: abort.signal });
    expect((await begun.next()).done).toBe(false);
    abort.abort();
    await expect(begun.next()).rejects.toMatchObject({ code: "aborted" });
  });

  test("one text at a time, and only prompts that fit", async () => {
    const model = await opened(models["blocks that normalise last"]!);
    const first = model.generate([1, 2]);
    await first.next();
    const second = model.generate([3]);
    await second.next();
    await expect(first.next()).rejects.toMatchObject({ code: "busy" });
    expect((await second.next()).done).toBe(false);
    for (const [prompt, message] of [
      [[], /the prompt is empty/],
      [Array.from({ length: longest + 1 }, () => 0), /14 tokens, and there is room for 13/],
      ["ab", /no texts/],
    ] as const)
      await expect(model.generate(prompt).next()).rejects.toThrow(message);
  });

  test("a model without generate says so", async () => {
    const graphs = graphsOf(models["no memory at all"]!);
    const entries = graphs.entries.filter(({ graph }) => graph.name !== "step");
    const { strict } = await compileModel({ ...graphs, entries }, { version: "0", relaxed: false });
    const model = await load(strict!.artifact!);
    expect(() => model.generate([1])).toThrow(/has no step, only/);
  });
});

describe("how tokens are chosen", () => {
  // exp gives 1, 2, 4, 1
  const scores = Float32Array.from([0, Math.log(2), Math.log(4), 0]);
  const count = 4000;
  const shares = (sample: Sample, seed = 1): number[] => {
    const found = [0, 0, 0, 0];
    for (let position = 0; position < count; position++)
      found[choose(scores, sample, seed, position)]! += 1 / count;
    return found;
  };
  /** four deviations of a share of 4000 draws, and the rounding of their sum */
  const near = (found: number[], expected: number[]): void =>
    expected.forEach((p, i) =>
      expect(Math.abs(found[i]! - p)).toBeLessThanOrEqual(4 * Math.sqrt((p * (1 - p)) / count) + 1e-9),
    );

  test.each<[Sample, number[]]>([
    [{ kind: "greedy" }, [0, 0, 1, 0]],
    [{ kind: "temperature", temperature: 1 }, [1 / 8, 2 / 8, 4 / 8, 1 / 8]],
    [{ kind: "temperature", temperature: 0.5 }, [1 / 22, 4 / 22, 16 / 22, 1 / 22]],
    [{ kind: "top_k", k: 2, temperature: 1 }, [0, 2 / 6, 4 / 6, 0]],
    [{ kind: "top_k", k: 3, temperature: 1 }, [1 / 7, 2 / 7, 4 / 7, 0]],
    [{ kind: "top_k", k: 9, temperature: 1 }, [1 / 8, 2 / 8, 4 / 8, 1 / 8]],
    [{ kind: "top_p", p: 0.5, temperature: 1 }, [0, 0, 1, 0]],
    [{ kind: "top_p", p: 0.6, temperature: 1 }, [0, 2 / 6, 4 / 6, 0]],
    [{ kind: "top_p", p: 1, temperature: 1 }, [1 / 8, 2 / 8, 4 / 8, 1 / 8]],
  ])("%j", (sample, expected) => near(shares(sample), expected));

  test("of equal scores the first", () => {
    expect(choose(Float32Array.from([1, 3, 3]), { kind: "greedy" }, 0, 0)).toBe(1);
    expect(choose(Float32Array.from([1, 3, 3]), { kind: "top_k", k: 1, temperature: 1 }, 0, 0)).toBe(1);
  });

  test("scores that overflow an exponential", () => {
    const far = Float32Array.from([-1e30, 900, 899]);
    near([0, 1, 2].map((i) => Array.from({ length: count }, (_, at) => choose(far, { kind: "temperature", temperature: 1 }, 3, at)).filter((id) => id === i).length / count), [0, 1 / (1 + Math.exp(-1)), Math.exp(-1) / (1 + Math.exp(-1))]); // prettier-ignore
  });
});
