/** The contract of the command line: exit statuses, JSON and nothing else, plain lines, repeatable runs. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dlmc, jsonLines, stackTrace, type Ended } from "./support/command-line.ts";
import { program, writeFlowers } from "./support/flowers.ts";

const folder = mkdtempSync(join(tmpdir(), "dlm-cli-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// oxlint-disable-next-line no-control-regex
const escape = /\u001b/;

const run = (args: string, options: Partial<Parameters<typeof dlmc>[1]> = {}): Promise<Ended> =>
  dlmc(args.split(" "), { cwd: folder, ...options });

const best = "--weights runs/flowers/best.safetensors";
let trained: Ended;
let compiled: Ended;

beforeAll(async () => {
  writeFlowers(folder);
  writeFileSync(
    join(folder, "wrong.dlm"),
    program.replace("Class=3", "Class=4").replace("Dense(3)", "Dense(4)"),
  );
  writeFileSync(join(folder, "strict.dlm"), program.replace("accuracy >= 1%", "accuracy >= 101%"));
  writeFileSync(join(folder, "two.csv"), "length,width\n1,3\n5,1\n");
  trained = await run("train flowers.dlm --seed 7");
  compiled = await run(`compile flowers.dlm ${best}`);
});

describe("a session as a stranger has it", () => {
  test("train ends with 0, writes the run folder and the lock, and prints plain lines", () => {
    expect(trained.err).toBe("");
    expect(trained.status).toBe(0);
    expect(trained.out).not.toMatch(escape);
    expect(trained.out).toMatch(/^training Kind on 36 rows of Flowers\n {2}batch 8, adam\(1e-2\)$/m);
    const [head, ...epochs] = /^epoch .*(\n\d\/3 .*)+/m.exec(trained.out)![0].split("\n");
    expect(head).toBe("epoch     loss  valid loss  accuracy     time");
    expect(epochs).toHaveLength(3);
    for (const line of epochs) {
      expect(line).toMatch(/^\d\/3 +[\d.]{7} +[\d.]{7} +[\d.]+ % +\S/);
      expect(line.replace(/ {2}best$/, "")).toHaveLength(head!.length);
    }
    expect(trained.out).toMatch(/^done in .*, best valid\.loss .*: runs\/flowers\/best\.safetensors$/m);
    for (const name of ["metrics.jsonl", "last.safetensors", "best.safetensors", "config.json"])
      expect(existsSync(join(folder, "runs", "flowers", name)), name).toBe(true);
    const config = JSON.parse(readFileSync(join(folder, "runs", "flowers", "config.json"), "utf8")) as object;
    expect(config).toMatchObject({ seed: 7, version: expect.any(String), settings: { batch: 8, epochs: 3 } });
    expect(existsSync(join(folder, "dlm.lock"))).toBe(true);
  });

  test("metrics.jsonl has a line for each step and epoch", () => {
    const lines = jsonLines(readFileSync(join(folder, "runs", "flowers", "metrics.jsonl"), "utf8"));
    expect(lines.filter((line) => line["event"] === "step").map((line) => line["step"])).toEqual(
      Array.from({ length: 15 }, (_, i) => i + 1),
    );
    expect(lines.filter((line) => line["event"] === "epoch").map((line) => line["epoch"])).toEqual([1, 2, 3]);
  });

  test("compile says what it wrote and how to import it", () => {
    expect(compiled.status).toBe(0);
    for (const name of ["Kind.wasm", "Kind.js", "Kind.d.ts", "Kind.safetensors"]) {
      expect(compiled.out).toContain(`dist/${name}`);
      expect(existsSync(join(folder, "dist", name)), name).toBe(true);
    }
    expect(compiled.out).toMatch(/import \{ load \} from "\.\/dist\/Kind\.js"/);
  });

  test("check, fit, show, evaluate and run end with 0 and read well without a terminal", async () => {
    const results = await Promise.all(
      [
        "check flowers.dlm",
        "fit flowers.dlm",
        `evaluate flowers.dlm ${best}`,
        "run dist --input two.csv",
      ].map((args) => run(args)),
    );
    for (const { status, out, err } of results) {
      expect(err).toBe("");
      expect(status).toBe(0);
      expect(out).not.toMatch(escape);
    }
    const [check, fit, evaluate, predicted] = results.map(({ out }) => out);
    expect(check).toBe("ok  flowers.dlm\n");
    expect(fit).toMatch(/kind: 3 categories, aster, daisy, tulip\n[^]*unchanged: dlm\.lock\n$/);
    expect(evaluate).toMatch(
      /^Kind on 12 rows of the test split\n[^]*accuracy[^]*holds {2}require accuracy >= 1%\n$/,
    );
    expect(predicted).toMatch(/^row {2}out\n1 {4}(aster|daisy|tulip) {2}\[.*\]\n2 {4}/);
  });
});

describe("--json", () => {
  test("train prints events and nothing else", async () => {
    const { status, out, err } = await run("train flowers.dlm --json -o runs/json --epochs 2");
    expect(status).toBe(0);
    expect(err).toBe("");
    const events = jsonLines(out);
    expect(events.map((e) => e["event"])).toEqual([
      "start",
      ...Array<string>(5).fill("step"),
      "epoch",
      ...Array<string>(5).fill("step"),
      "epoch",
      "end",
    ]);
    const number = expect.any(Number) as number;
    expect(events[1]).toMatchObject({ epoch: 1, step: 1, train: { loss: number }, rate: 1e-2, ms: number });
    expect(events[6]).toMatchObject({
      epoch: 1,
      step: 5,
      train: { loss: number },
      valid: { loss: number, accuracy: number },
      rate: 1e-2,
      ms: number,
      best: true,
    });
    expect(events.at(-1)).toMatchObject({ epoch: 2, step: 10, reason: "epochs", best: number, ms: number });
  });

  test("check prints a line for each diagnostic, with places that count from 1", async () => {
    const { status, out } = await run("check wrong.dlm flowers.dlm --json");
    expect(status).toBe(1);
    const [diagnostic, ...more] = jsonLines(out);
    expect(more).toEqual([]);
    expect(diagnostic).toMatchObject({
      code: "DLM0301",
      severity: "error",
      message: "the model has 4 classes, the labels have 3",
      file: "wrong.dlm",
      range: { start: { line: 18, column: 33 }, end: { line: 18, column: 37 } },
      labels: expect.arrayContaining([
        { range: expect.any(Object) as object, text: "4 comes from here" },
      ]) as unknown[],
      notes: [],
      helps: [
        {
          text: "3 instead of 4, in the signature too",
          edits: [
            { range: expect.any(Object) as object, text: "3" },
            { range: expect.any(Object) as object, text: "3" },
          ],
        },
      ],
    });
  });

  test("show, fit, evaluate, run and explain print JSON alone, with the promised fields", async () => {
    const results = await Promise.all(
      [
        "show flowers.dlm --json",
        "fit flowers.dlm --json",
        `evaluate flowers.dlm ${best} --json`,
        "run dist --input two.csv --json",
        "explain 301 --json",
      ].map((args) => run(args)),
    );
    expect(results.map(({ status, err }) => ({ status, err }))).toEqual(
      results.map(() => ({ status: 0, err: "" })),
    );
    const [shown, fitted, evaluated, predicted, explained] = results.map(({ out }) => jsonLines(out));
    expect(shown![0]).toMatchObject({
      models: [
        {
          name: "Kind",
          parameters: 51,
          flops: expect.any(Number) as number,
          inputs: expect.any(Array) as unknown[],
          outputs: [{ name: "out", dtype: "f32", shape: ["B", 3] }],
          layers: expect.any(Array) as unknown[],
          weights: expect.arrayContaining([
            { path: "dense0.kernel", dtype: "f32", shape: [2, 8] },
          ]) as unknown[],
          memory: { infer: expect.any(Number) as number, train: expect.any(Number) as number },
        },
      ],
    });
    expect(fitted![0]).toMatchObject({
      lock: "dlm.lock",
      data: { Flowers: { train: 36, valid: 12, test: 12 } },
    });
    expect(evaluated![0]).toMatchObject({
      metrics: { loss: expect.any(Number) as number, accuracy: expect.any(Number) as number },
      require: [{ text: "accuracy >= 1%", ok: true, value: expect.any(Number) as number }],
      report: { confusion: { classes: ["aster", "daisy", "tulip"] } },
    });
    expect(predicted!.map((row) => (row["out"] as number[]).length)).toEqual([3, 3]);
    expect(explained![0]).toMatchObject({ code: "DLM0301", explanation: expect.any(String) as string });
  });
});

describe("explain", () => {
  test("tells of a name of the library what it takes and what it does", async () => {
    const [conv, cosine, near] = await Promise.all([
      run("explain Conv"),
      run("explain cosine --json"),
      run("explain conf"),
    ]);
    expect(conv.out).toMatch(/^module Conv\(Out, size, stride = 1, pad = same/);
    expect(conv.out).toMatch(/\n\nTwo-dimensional convolution[^]*\n\nstd\.convolution\n$/);
    expect(jsonLines(cosine.out)).toEqual([
      {
        name: "cosine",
        part: "schedules",
        signature: expect.stringMatching(/^fn cosine\(rate, total, .*\)\(step: \[\]\) -> \[\]/) as string,
        doc: expect.any(String) as string,
      },
    ]);
    expect(near.status).toBe(1);
    expect(near.err).toMatch(
      /there is no conf in the library or the language, and no diagnostic\nhelp: did you mean Conv\?/,
    );
  });
});

describe("exit statuses", () => {
  test("1 where the input is at fault or a requirement fails, with the text on standard error", async () => {
    const [check, fails] = await Promise.all([
      run("check wrong.dlm nothing.dlm"),
      run(`evaluate strict.dlm ${best}`),
    ]);
    expect(check.status).toBe(1);
    expect(check.out).toBe("");
    expect(check.err).toMatch(/^error\[DLM0301\]: the model has 4 classes, the labels have 3\n/);
    expect(check.err).toMatch(/^error: cannot be read: no such file or folder\n {2}┌─ nothing\.dlm$/m);
    expect(check.err).toMatch(/^1 error$/m);
    expect(fails.status).toBe(1);
    expect(fails.out + fails.err).toMatch(/require/);
    expect(fails.err).not.toMatch(stackTrace);
  });

  test.each([
    ["chekc flowers.dlm", /unknown command 'chekc'\nhelp: did you mean check\?/],
    ["help trian", /unknown command 'trian'\nhelp: did you mean train\?/],
    ["train flowers.dlm --epoch 3", /unknown option '--epoch'\nhelp: did you mean --epochs\?/],
    ["check", /missing required argument 'files'\nhelp: dlmc check --help/],
    ["train flowers.dlm --epochs many", /'many' is invalid\. a whole number of at least 0 is needed/],
    ["compile flowers.dlm --dim Q=2", /there is no free dim Q\nhelp: there is B/],
    ["compile flowers.dlm --print-ir-after nothing", /there is no pass nothing\nhelp: there is all/],
    ["run dist --input two.csv --output x.txt", /predictions are written as \.json/],
    ["evaluate flowers.dlm", /which weights are to be evaluated\?/],
  ])("2 for wrong usage: %s", async (args, message) => {
    const { status, out, err } = await run(args);
    expect(err).toMatch(message);
    expect(err).toMatch(/^error: /);
    expect(err).not.toMatch(stackTrace);
    expect(out).toBe("");
    expect(status).toBe(2);
  });

  test("0 for help, which lists every command, and for the version", async () => {
    const [help, version] = await Promise.all([run("--help"), run("--version")]);
    expect([help.status, version.status]).toEqual([0, 0]);
    for (const name of ["check", "show", "explain", "fmt", "fit", "train", "evaluate", "run", "compile"])
      expect(help.out).toMatch(new RegExp(`^ {2}${name} `, "m"));
    expect(version.out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("a reader that goes away is no mistake to explain; a full standard output is", async () => {
    const [closed, full] = await Promise.all([
      run("explain", { redirect: "| head -1" }),
      run("explain", { redirect: "> /dev/full" }),
    ]);
    expect(closed.err).toBe("");
    expect(closed.out).toMatch(/^DLM0001 .*\n$/);
    expect(full.err).toMatch(
      /^error: cannot be written: no space is left on the disk\n {2}┌─ standard output\n$/,
    );
    expect(full.status).toBe(1);
  });
});

describe("runs", () => {
  const bytes = (name: string): Buffer => readFileSync(join(folder, "runs", name, "last.safetensors"));

  test("are the same to the bit with the same seed, and others with another", async () => {
    await Promise.all([
      run("train flowers.dlm --seed 7 -o runs/same"),
      run("train flowers.dlm --seed 8 -o runs/other"),
    ]);
    expect(bytes("same").equals(bytes("flowers"))).toBe(true);
    expect(bytes("other").equals(bytes("flowers"))).toBe(false);
  });

  test("of 0 steps write the initial weights, and --epochs and --steps end sooner", async () => {
    const [none, two] = await Promise.all([
      run("train flowers.dlm --steps 0 --json -o runs/none"),
      run("train flowers.dlm --steps 7 --epochs 2 --json -o runs/two"),
    ]);
    expect(jsonLines(none.out).map((e) => e["event"])).toEqual(["start", "end"]);
    expect(jsonLines(none.out).at(-1)).toMatchObject({ step: 0, reason: "steps" });
    expect(existsSync(join(folder, "runs", "none", "best.safetensors"))).toBe(true);
    expect(jsonLines(two.out).at(-1)).toMatchObject({ step: 7, epoch: 2, reason: "steps" });
  });
});

describe("dlm.lock", () => {
  const inside = join(folder, "locked");
  const at = (args: string): Promise<Ended> => run(args, { cwd: inside });

  test("that is out of date is refused, written anew by train, and told by check", async () => {
    writeFlowers(inside);
    cpSync(join(folder, "dlm.lock"), join(inside, "dlm.lock"));
    const changed = program.replace("seed = 3", "seed = 4");
    writeFileSync(join(inside, "flowers.dlm"), changed);
    const weights = `--weights ${join(folder, "runs", "flowers", "best.safetensors")}`;
    const [check, compile, evaluate] = await Promise.all([
      at("check flowers.dlm"),
      at("compile flowers.dlm"),
      at(`evaluate flowers.dlm ${weights}`),
    ]);
    expect(check.status).toBe(0);
    expect(check.err).toBe(
      "note: dlm.lock is out of date for Flowers; dlmc fit flowers.dlm writes it anew\n",
    );
    for (const each of [compile, evaluate]) {
      expect(each.status).toBe(1);
      expect(each.err).toMatch(
        /dlm\.lock is out of date: `data Flowers` was changed since it was written\nhelp: dlmc fit/,
      );
    }
    const train = await at("train flowers.dlm --steps 1");
    expect(train.status).toBe(0);
    expect(train.out).toMatch(/^wrote dlm\.lock/m);
    expect((await at("check flowers.dlm")).err).toBe("");
  });

  test("that is damaged is refused", async () => {
    const cases: readonly (readonly [text: string, message: RegExp])[] = [
      ["{", /this lock is damaged/],
      ["[]", /this is no lock/],
      ['{"format":9,"data":{},"fitted":{}}', /this lock has format 9/],
      ['{"format":1,"data":{"flowers.dlm#Flowers":null},"fitted":{}}', /this lock is damaged/],
      ['{"format":1,"data":{"flowers.dlm#Flowers":{"fingerprint":"","facts":{}}},"fitted":{}}', /damaged/],
      ['{"format":1,"data":{},"fitted":{"flowers.dlm#Kind":{"m":[null]}}}', /damaged/],
    ];
    cases.forEach(([text], i) =>
      writeFileSync(join(writeFlowers(join(folder, `lock${i}`)), "dlm.lock"), text),
    );
    const { status, err } = await run(`check ${cases.map((_, i) => `lock${i}/flowers.dlm`).join(" ")}`);
    const errors = err.split(/^(?=error)/m);
    expect(errors).toHaveLength(cases.length);
    cases.forEach(([, message], i) => {
      expect(errors[i]).toMatch(message);
      expect(errors[i]).toContain(`┌─ lock${i}/dlm.lock\n`);
    });
    expect(status).toBe(1);
  });
});
