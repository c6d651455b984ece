/** A small program on a small table, written to a folder: what the tests of the command line train and compile. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { random } from "./random.ts";

export const program = `dlm 1

data Flowers from csv("flowers.csv") {
  input   length, width : number
  target  kind : category

  split   train = 60%, valid = 20%, test = 20%, seed = 3
}

model Kind(flower: Flowers) -> [B, Class=3] {
  flower.numbers
    -> Standardize
    -> Dense(8) -> relu -> dropout(0.2)
    -> Dense(3)
}

train Kind on Flowers {
  loss       cross_entropy(out, kind)
  optimizer  adam(1e-2)
  batch      8
  epochs     3
  keep       best, by = valid.loss
}

evaluate Kind on Flowers.test {
  metrics  loss, accuracy
  report   confusion
  require  accuracy >= 1%
}
`;

const kinds = ["aster", "daisy", "tulip"];

/** 60 rows of three kinds, which length and width tell apart. */
export function table(): string[] {
  const numbers = random(1);
  const rows = Array.from({ length: 60 }, (_, i) => {
    const kind = i % 3;
    const length = 1 + 2 * kind + numbers.next();
    const width = 3 - kind + numbers.next();
    return `${length.toFixed(2)},${width.toFixed(2)},${kinds[kind]}`;
  });
  return ["length,width,kind", ...rows];
}

/** Program and table in a folder; `change` makes other ones of them. */
export function writeFlowers(
  folder: string,
  change: { readonly program?: string; readonly table?: string | Uint8Array } = {},
): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "flowers.csv"), change.table ?? table().join("\n") + "\n");
  writeFileSync(join(folder, "flowers.dlm"), change.program ?? program);
  return folder;
}
