// The rows of the table: those of every file in rows/, in this order of files, the others behind them.
import { readdirSync } from "node:fs";

/**
 * A row is
 *   name                    as it is printed
 *   program, model, entry   of the product: a file beside the row, and what of it is run (`infer` without `entry`)
 *   sizes, max, control     of the entry's dims, their maxima where they are larger, and control scalars
 *   resident                what is measured is the kernels, on numbers that lie in memory
 *   steps                   of a loop: the time of one is told in microseconds
 *   traffic                 bytes that it must move, { read, written }: then it is held against the bandwidth
 *   peers                   by name, what makes the same work there: see sides/; `torch` is [function of NAME.py, ...arguments]
 *   atLeast, aim            by measure, the targets: see measures.mjs
 */
const order = [
  "matmul",
  "mlp",
  "cnn",
  "resnet18",
  "gpt",
  "decode",
  "lstm",
  "mobilenet",
  "row-kernels",
  "adam",
];

export async function allRows() {
  const files = readdirSync(new URL("rows/", import.meta.url))
    .filter((name) => name.endsWith(".mjs"))
    .map((name) => name.slice(0, -".mjs".length));
  const place = (file) => (order.includes(file) ? order.indexOf(file) : order.length);
  const found = [];
  for (const file of files.toSorted((a, b) => place(a) - place(b)))
    for (const row of (await import(`./rows/${file}.mjs`)).rows) found.push({ ...row, file });
  return found;
}

/** The row that a request names, in the process of a side. */
export async function describedBy({ file, name }) {
  return (await import(`./rows/${file}.mjs`)).rows.find((row) => row.name === name);
}
