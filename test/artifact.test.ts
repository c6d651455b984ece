/** The file format: what is written is read back, and whatever is not whole is refused, never half-used. */
import { describe, expect, test } from "vitest";
import {
  checkDigest,
  evaluatePolynomial,
  formatNumber,
  readManifest,
  writeArtifact,
} from "../runtime/artifact.ts";
import { DlmError, load } from "../runtime/index.ts";
import { handMadeArtifact, handMadeManifest, handMadeModule } from "./artifacts.ts";

const artifact = await handMadeArtifact();

/** Loads what may be anything; the code of the refusal, or `undefined` where it loaded. Any other error is a failure. */
async function refusal(bytes: Uint8Array): Promise<string | undefined> {
  try {
    (await load(bytes)).destroy();
    return undefined;
  } catch (error) {
    if (!(error instanceof DlmError)) throw error;
    return error.code;
  }
}

/** The artifact with its manifest replaced by any text; size and digest as they come. */
function withManifest(text: string): Uint8Array {
  const json = new TextEncoder().encode(text);
  const size = json.length + 4;
  const leb = [0, 7, 14, 21, 28].map((shift, i) => ((size >>> shift) & 127) | (i < 4 ? 128 : 0));
  return Uint8Array.from([...artifact.subarray(0, 8), 0, ...leb, 3, 0x64, 0x6c, 0x6d, ...json]);
}

/** The artifact's manifest with one field replaced, by its path. */
function withField(path: string, value: unknown): Uint8Array {
  const manifest: unknown = structuredClone(readManifest(artifact).manifest);
  const keys = path.split(".");
  let at = manifest as Record<string, unknown>;
  for (const key of keys.slice(0, -1)) at = at[key] as Record<string, unknown>;
  at[keys.at(-1)!] = value;
  return withManifest(JSON.stringify(manifest));
}

function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe("the artifact", () => {
  test("gives back its manifest, and stays a WebAssembly module", async () => {
    const { manifest, digestAt } = readManifest(artifact);
    expect(manifest).toEqual({ ...handMadeManifest, digest: manifest.digest });
    await expect(checkDigest(artifact, manifest.digest, digestAt)).resolves.toBeUndefined();
    expect(WebAssembly.validate(artifact)).toBe(true);
    const [section] = WebAssembly.Module.customSections(new WebAssembly.Module(artifact), "dlm");
    expect(JSON.parse(new TextDecoder().decode(section))).toEqual(manifest);
  });

  test("keeps names in any script", async () => {
    const name = 'größe "digest":" 数字 🙂';
    const bytes = await writeArtifact(await handMadeModule(), { ...handMadeManifest, name });
    expect(readManifest(bytes).manifest.name).toBe(name);
    expect(await refusal(bytes)).toBeUndefined();
  });

  test("of a newer format is refused as that, whatever else it holds", async () => {
    expect(await refusal(withManifest(JSON.stringify({ format: formatNumber + 1 })))).toBe("format");
  });

  test("is refused at every truncation", async () => {
    for (let length = 0; length < artifact.length; length += length < 64 ? 1 : 37)
      expect(await refusal(artifact.subarray(0, length)), `${length} bytes`).toBe("artifact");
  });

  test("is refused when any byte is altered", async () => {
    const random = numbers(1);
    for (let i = 0; i < 400; i++) {
      const bytes = artifact.slice();
      const at = i < 16 ? i : Math.floor(random() * bytes.length);
      bytes[at]! ^= 1 << Math.floor(random() * 8);
      expect(["artifact", "format"], `byte ${at}`).toContain(await refusal(bytes));
    }
  });

  test("is refused when bytes are appended", async () => {
    expect(await refusal(Uint8Array.from([...artifact, 0]))).toBe("artifact");
  });

  test("with a size that overflows, or lies behind the end, is refused", async () => {
    for (const size of [
      [0xff, 0xff, 0xff, 0xff, 0x0f],
      [0xff, 0xff, 0xff, 0xff, 0x7f],
      [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
      [0x80],
      [0],
      [3],
      [],
    ])
      expect(
        await refusal(Uint8Array.from([...artifact.subarray(0, 8), 0, ...size, 3, 0x64, 0x6c, 0x6d])),
      ).toBe("artifact");
  });

  test("with a manifest that is something else is refused", async () => {
    for (const text of [
      "",
      "null",
      "[]",
      "3",
      '"dlm"',
      "{}",
      "{",
      "[".repeat(100_000),
      '{"format":1}',
      "\u{1F642}",
    ])
      expect(await refusal(withManifest(text)), text.slice(0, 20)).toBe("artifact");
  });

  test.each([
    ["format", 0],
    ["format", "1"],
    ["name", 1],
    ["hashes", null],
    ["hashes.weights", 1],
    ["digest", "0"],
    ["sharedBytes", -1],
    ["sharedBytes", 1e300],
    ["weights", {}],
    ["weights.0", null],
    ["weights.0.dtype", "f64"],
    ["weights.0.shape", [1.5]],
    ["weights.0.offset", "0"],
    ["entries", null],
    ["entries.0.control.0.offset", [[1]]],
    ["entries.2.dims.0.default", 0],
    ["entries.2.dims.0.max", "4"],
    ["entries.2.rows", 1],
    ["entries.2.bytes", [[1, [[]]]]],
    ["entries.2.bytes", [[1, [{ floor: [[]] }]]]],
    ["entries.2.inputs.0.shape", [[["1", []]]]],
    ["entries.2.inputs.0.classes", [1]],
  ])("with %s = %j is refused before its code is looked at", (path, value) => {
    expect(() => readManifest(withField(path, value))).toThrow(/in its manifest$/);
    expect(() => readManifest(withField(path, value))).toThrow(DlmError);
  });

  test("does not follow floors in floors without end", () => {
    const deep = `${'[[1,[{"floor":['.repeat(5000)}[]${",[]]}]]]".repeat(5000)}`;
    const text = JSON.stringify(readManifest(artifact).manifest).replace(
      /"bytes":\[\[1024,\[\]\]\]/,
      `"bytes":${deep}`,
    );
    expect(() => readManifest(withManifest(text))).toThrow(DlmError);
  });

  test("whose tensors lie outside its memory is refused", async () => {
    const outside = [
      handMadeArtifact((m) => ({ ...m, weights: [{ ...m.weights[0]!, offset: 2 ** 40 }] })),
      handMadeArtifact((m) => ({ ...m, weights: [{ ...m.weights[0]!, shape: [2 ** 40, 2 ** 40] }] })),
      handMadeArtifact((m) => ({ ...m, weights: [{ ...m.weights[0]!, offset: 257 }] })),
      handMadeArtifact((m) => ({ ...m, entries: [{ ...m.entries[2]!, bytes: [] }] })),
      handMadeArtifact((m) => ({
        ...m,
        entries: [{ ...m.entries[2]!, inputs: [{ ...m.entries[2]!.inputs[0]!, offset: [[-256, []]] }] }],
      })),
      handMadeArtifact((m) => ({
        ...m,
        entries: [{ ...m.entries[2]!, inputs: [{ ...m.entries[2]!.inputs[0]!, shape: [[[1, ["T"]]]] }] }],
      })),
    ];
    for (const bytes of await Promise.all(outside)) expect(await refusal(bytes)).toBe("artifact");
  });

  test("whose code lacks what the manifest names is refused", async () => {
    for (const change of [
      { export: "other" },
      { dims: [{ ...handMadeManifest.entries[2]!.dims[0]!, global: "other" }] },
    ])
      expect(
        await refusal(await handMadeArtifact((m) => ({ ...m, entries: [{ ...m.entries[2]!, ...change }] }))),
      ).toBe("artifact");
  });
});

test("polynomials", () => {
  expect(
    evaluatePolynomial(
      [
        [4096, []],
        [256, ["B", "T"]],
      ],
      { B: 2, T: 3 },
    ),
  ).toBe(4096 + 256 * 6);
  expect(evaluatePolynomial([], {})).toBe(0);
  expect(
    evaluatePolynomial(
      [
        [
          2,
          [
            {
              floor: [
                [
                  [1, ["H"]],
                  [1, []],
                ],
                [[2, []]],
              ],
            },
          ],
        ],
      ],
      { H: 6 },
    ),
  ).toBe(6);
  expect(evaluatePolynomial([[1, ["B"]]], {})).toBeNaN();
});
