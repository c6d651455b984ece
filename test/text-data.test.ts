/** Texts as data: tokens, windows, splits, the vocabulary in dlm.lock, and a model that is trained on them and goes on. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encode } from "../runtime/tokens.ts";
import { vocabularyOf } from "../src/data/tokens.ts";
import { openWithData } from "../src/program.ts";
import { dlmc, jsonLines } from "./support/command.ts";

const folder = mkdtempSync(join(tmpdir(), "dlm-text-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sentence = "the cat sat on the mat, and the dog sat by the cat. ";
const first = sentence.repeat(9);
const second = "a dog on a mat is a dog that sat. ".repeat(9);

const program = (tokenize: string, files = '"first.txt", "second.txt"'): string => `dlm 1

data Tale from text(${files}) {
  tokenize ${tokenize}
  window   8, target = next
  split    train = 80%, valid = 20%
}

let Signs = Tale.Signs

model Teller(text: int<Signs>[B, T]) -> [B, T, Signs]
  where T <= 40
{
  text -> Embed(8) -> Gru(16) -> Dense(Signs)
}

train Teller on Tale {
  loss       cross_entropy(out, next)
  optimizer  adam(1e-2)
  batch      16
  epochs     6
}

evaluate Teller on Tale.valid {
  metrics  loss, accuracy, perplexity
}

deploy Teller {
  generate text, max = 40, sample = greedy
}
`;

function write(name: string, text: string | Buffer): void {
  writeFileSync(join(folder, name), text);
}

const weights = ["--weights", "runs/tale/best.safetensors"];
const run = (...args: string[]) => dlmc(args, folder);

beforeAll(() => {
  write("first.txt", first);
  write("second.txt", second);
  write("tale.dlm", program("chars as Signs"));
});

describe("tokens", () => {
  const decode = (ids: Int32Array, names: readonly string[]): string =>
    [...ids].map((id) => names[id]).join("");

  test("of characters stand in the order of their code points, and give the text back", () => {
    const names = vocabularyOf("bad 🦊 café\n", "", { kind: "chars" })!;
    expect(names).toEqual(["\n", " ", "a", "b", "c", "d", "f", "é", "🦊"]);
    const ids = encode("café 🦊", names);
    expect(ids).toBeInstanceOf(Int32Array);
    expect(decode(ids as Int32Array, names)).toBe("café 🦊");
  });

  test("of byte pairs are as many as asked for, learned from the train part, and give the text back", () => {
    const names = vocabularyOf(first + second, first, { kind: "bpe", size: 30 })!;
    expect(names.length).toBeLessThanOrEqual(30);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain(" the");
    const ids = encode(first, names) as Int32Array;
    expect(decode(ids, names)).toBe(first);
    expect(ids.length).toBeLessThan(first.length / 2);
    expect(vocabularyOf("abcdef", "abcdef", { kind: "bpe", size: 5 })).toBeUndefined();
  });

  test("say which character is none, and where", () => {
    expect(encode("ab?", ["a", "b"])).toEqual({ at: 2, character: "?" });
  });
});

describe("windows", () => {
  test("lie one behind the other, with the next tokens as targets, and reach over no border of a split", () => {
    const [data] = [...openWithData(join(folder, "tale.dlm")).datasets.values()];
    const names = data!.columns.get("text")!.classes!;
    const text = first + second;
    const border = Math.round(text.length * 0.8);
    const [input, target] = ["text", "next"].map((name) => data!.columns.get(name)!.data as Int32Array);
    const shown = (ids: Int32Array, row: number): string =>
      [...ids.subarray(row * 8, row * 8 + 8)].map((id) => names[id]).join("");
    for (const [split, part] of [
      ["train", text.slice(0, border)],
      ["valid", text.slice(border)],
    ] as const) {
      expect(data!.splits[split].length).toBe(Math.floor((part.length - 1) / 8));
      data!.splits[split].forEach((row, i) => {
        expect(shown(input!, row)).toBe(part.slice(8 * i, 8 * i + 8));
        expect(shown(target!, row)).toBe(part.slice(8 * i + 1, 8 * i + 9));
      });
    }
  });
});

describe("a text", () => {
  test("is fitted, trained on, measured and gone on with", async () => {
    expect(await run("fit", "tale.dlm")).toMatchObject({ status: 0 });
    const lock = readFileSync(join(folder, "dlm.lock"), "utf8");
    expect(lock.replaceAll(/\s+/g, "")).toContain('"",",",".","a","b"'.slice(3));
    const trained = await run("train", "tale.dlm", "--json");
    expect(trained.err).toBe("");
    const epochs = jsonLines(trained.out).filter(({ event }) => event === "epoch") as unknown as {
      valid: { loss: number; accuracy: number };
    }[];
    expect(epochs).toHaveLength(6);
    expect(epochs.at(-1)!.valid.loss).toBeLessThan(epochs[0]!.valid.loss);
    const measured = await run("evaluate", "tale.dlm", ...weights, "--json");
    const { metrics } = jsonLines(measured.out)[0] as unknown as { metrics: Record<string, number> };
    expect(metrics["perplexity"]).toBeCloseTo(Math.exp(metrics["loss"]!), 4);
    expect(metrics["accuracy"]).toBeGreaterThan(0.1);
    const made = await run("generate", "tale.dlm", ...weights, "--prompt", "the c", "--max", "6");
    expect(made.err).toBe("");
    expect(made.out).toMatch(/^the c.{6}\n$/s);
    const refused = await run("generate", "tale.dlm", ...weights, "--prompt", "the X");
    expect(refused.err).toContain('"X"');
    expect(refused.status).toBe(2);
  });

  test("that has other characters now does not go with the weights of before", async () => {
    write("second.txt", second + "?");
    const { status, err } = await run("evaluate", "tale.dlm", ...weights);
    write("second.txt", second);
    expect(err).toMatch(/^error: /);
    expect(status).toBe(1);
  });

  test("that is missing, empty, too short or not UTF-8 is refused by name", async () => {
    const own = join(folder, "bad");
    mkdirSync(own);
    const cases: readonly (readonly [Buffer | string, RegExp])[] = [
      ["", /there is no text in it/],
      ["short", /too few for one window of 8/],
      [Buffer.from([0x61, 0xe9, 0x62]), /not UTF-8/],
    ];
    for (const [i, [text, message]] of cases.entries()) {
      writeFileSync(join(own, `t${i}.txt`), text);
      writeFileSync(join(own, `t${i}.dlm`), program("chars as Signs", `"t${i}.txt"`));
      const { status, err } = await dlmc(["fit", `t${i}.dlm`], own);
      expect(err).toMatch(message);
      expect(err).toContain(`t${i}.txt`);
      expect(status).toBe(1);
    }
    writeFileSync(join(own, "gone.dlm"), program("chars as Signs", '"gone.txt"'));
    const { status, err } = await dlmc(["fit", "gone.dlm"], own);
    expect(err).toContain("gone.txt");
    expect(status).toBe(1);
  });

  test("that another file declares is known from the lock", async () => {
    write("other.dlm", `dlm 1

use "./tale.dlm" (Tale)

let Signs = Tale.Signs

model Other(text: int<Signs>[B, T]) -> [B, T, Signs] {
  text -> Embed(4) -> Dense(Signs)
}
`); // prettier-ignore
    expect(await run("fit", "tale.dlm")).toMatchObject({ status: 0 });
    const { out } = await run("show", "other.dlm");
    expect(out).toContain("parameters");
    expect(out).not.toContain("Tale.Signs");
  });

  test("of byte pairs is trained on too", async () => {
    write("pairs.dlm", program("bpe(40) as Signs"));
    const { status, err } = await run("train", "pairs.dlm", "--epochs", "1", "-o", "pairs");
    expect(err).toBe("");
    expect(status).toBe(0);
  });
});
