/** Small made-up data in the files that `npm run data` gives the examples, the same every time. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeSafetensors } from "../../src/weights/safetensors.ts";
import { random } from "./random.ts";

/** IDX of bytes: two zeros, 8 for u8, the number of axes, the sizes, the bytes. */
function idx(shape: readonly number[], bytes: Uint8Array): Uint8Array {
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  header.setUint32(0, 0x0800 | shape.length);
  shape.forEach((size, i) => header.setUint32(4 + 4 * i, size));
  return Buffer.concat([new Uint8Array(header.buffer), bytes]);
}

export const pictureRows = { train: 56, test: 8 } as const;

/** Pictures of 28 x 28 of ten classes, a bright bar across at a height of its own in each, as MNIST's files. */
export function pictures(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const r = random(1);
  for (const [prefix, rows] of [
    ["train", pictureRows.train],
    ["t10k", pictureRows.test],
  ] as const) {
    const labels = Uint8Array.from({ length: rows }, (_, row) => row % 10);
    const pixels = Uint8Array.from({ length: rows * 784 }, (_, at) => {
      const label = labels[Math.floor(at / 784)]!;
      const line = Math.floor((at % 784) / 28);
      const isBar = line >= 4 + 2 * label && line < 7 + 2 * label;
      return r.below(60) + (isBar ? 190 : 0);
    });
    writeFileSync(join(folder, `${prefix}-images-idx3-ubyte`), idx([rows, 28, 28], pixels));
    writeFileSync(join(folder, `${prefix}-labels-idx1-ubyte`), idx([rows], labels));
  }
}

/** Colour pictures of 32 x 32 of ten classes, each of its own brightness, as CIFAR-10's files. */
export function colours(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const r = random(5);
  for (const [name, rows] of Object.entries(pictureRows)) {
    const label = Uint8Array.from({ length: rows }, (_, row) => row % 10);
    const image = Uint8Array.from(
      { length: rows * 3072 },
      (_, at) => 20 * label[Math.floor(at / 3072)]! + r.below(50),
    );
    writeFileSync(
      join(folder, `${name}.safetensors`),
      writeSafetensors(
        new Map([
          ["image", { dtype: "u8" as const, shape: [rows, 32, 32, 3], data: image }],
          ["label", { dtype: "u8" as const, shape: [rows], data: label }],
        ]),
      ),
    );
  }
}

/** Three texts of a few words over and over, in random order. */
export function plays(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const r = random(2);
  const words = ["the", "king", "and", "queen", "speak", "of", "night,", "enter", "a", "ghost.\n"];
  for (const name of ["hamlet", "caesar", "macbeth"])
    writeFileSync(
      join(folder, `shakespeare-${name}.txt`),
      Array.from({ length: 250 }, () => r.pick(words)).join(" "),
    );
}

/** Reviews of a few words, the kind ones of some that the others have not, as JSON lines. */
export function reviews(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const r = random(6);
  const words = ["the", "film", "was", "and", "its", "end", "long", "short", "music"];
  const told = { positive: ["lovely", "fine"], negative: ["dull", "poor"] };
  for (const [name, rows] of Object.entries(pictureRows)) {
    const lines = Array.from({ length: rows }, (_, row) => {
      const sentiment = row % 2 === 0 ? "positive" : "negative";
      const review = Array.from({ length: 4 + r.below(20) }, () => r.pick([...words, ...told[sentiment]]));
      return JSON.stringify({ review: review.join(" "), sentiment });
    });
    writeFileSync(join(folder, `${name}.jsonl`), `${lines.join("\n")}\n`);
  }
}

export function diamonds(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const r = random(3);
  const rows = Array.from({ length: 80 }, () => {
    const carat = r.uniform(0.2, 2);
    const side = (6.4 * Math.cbrt(carat)).toFixed(2);
    const [cut, color, clarity] = [
      r.pick(["Fair", "Good", "Ideal"]),
      r.pick(["D", "G"]),
      r.pick(["SI1", "VS2"]),
    ];
    const price = Math.round(4000 * carat ** 1.6 + r.uniform(0, 200));
    return [
      carat.toFixed(2),
      cut,
      color,
      clarity,
      61,
      57,
      price,
      side,
      side,
      (0.6 * Number(side)).toFixed(2),
    ].join(",");
  });
  const header = "carat,cut,color,clarity,depth,table,price,x,y,z";
  writeFileSync(join(folder, "diamonds.csv"), [header, ...rows].join("\n") + "\n");
}

/** A wave of 130 months with noise, in windows of 48 and the month behind each. */
export function sunspots(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const r = random(4);
  const months = Array.from(
    { length: 130 },
    (_, i) => 60 + 50 * Math.sin((2 * Math.PI * i) / 60) + r.uniform(0, 9),
  );
  const rows = 80;
  const past = Float32Array.from({ length: rows * 48 }, (_, at) => months[Math.floor(at / 48) + (at % 48)]!);
  const next = Float32Array.from({ length: rows }, (_, row) => months[row + 48]!);
  const tensors = new Map([
    ["past", { dtype: "f32" as const, shape: [rows, 48, 1], data: past }],
    ["next", { dtype: "f32" as const, shape: [rows], data: next }],
  ]);
  writeFileSync(join(folder, "windows.safetensors"), writeSafetensors(tensors));
}
