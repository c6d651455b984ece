// Memory: the arena of each entry against the largest sum of buffers that are alive at one kernel, and what training
// ResNet-18 at 224 x 224 by batches of 8 takes.
import { built, graphsOfRow } from "../own.mjs";

const { compileModel } = await built("compiler/compile.js");
const { lifetimesOf, bytesBound } = await built("compiler/lower/plan-memory.js");
const { evaluate } = await built("compiler/ir/dim.js");

const batches = [1, 32];
const work = [
  { program: "mlp.dlm", entries: ["infer", "train"] },
  { program: "cnn.dlm", entries: ["infer", "train"] },
  { program: "mobilenet.dlm", entries: ["infer"] },
  { program: "../../../examples/cifar/resnet18.dlm", entries: ["infer"] },
  { program: "gpt.dlm", entries: ["infer"], sizes: { T: 128 } },
  { program: "lstm.dlm", entries: ["infer"] },
  { program: "../../../examples/plays/char-lstm.dlm", entries: ["train"] },
  { program: "../../../examples/plays/gpt.dlm", entries: ["train"] },
];
const most = 1.15;
const large = { program: "resnet18.dlm", batch: 8, most: 2e9 };

const lowered = async (row, entries) =>
  (await compileModel(graphsOfRow(row, entries), { version: "bench", stopAfter: "lower" })).program;

/** Bytes of the buffers alive at the worst moment. */
function leastBytes(entry, sizes) {
  const changes = lifetimesOf(entry).flatMap(({ buffer, first, last }) => {
    const bytes = evaluate(bytesBound(buffer), sizes);
    return [
      [first, bytes],
      [last + 1, -bytes],
    ];
  });
  let alive = 0;
  let largest = 0;
  for (const [, bytes] of changes.toSorted(([a, x], [b, y]) => a - b || x - y))
    largest = Math.max(largest, (alive += bytes));
  return largest;
}

const mega = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;

export const memory = {
  name: "memory",
  async run() {
    const results = [];
    for (const { program: file, entries, sizes = {} } of work) {
      const program = await lowered({ program: file }, entries);
      for (const entry of program.entries)
        for (const batch of entries.includes(entry.name) ? batches : []) {
          const at = new Map(
            entry.dims.map(({ name, max }) => [name, sizes[name] ?? (name === "B" ? batch : (max ?? 1))]),
          );
          const arena = evaluate(program.bytes.get(entry), at) - program.sharedBytes;
          const alive = leastBytes(entry, at);
          const name = `${file.split("/").at(-1)} ${entry.name}, batch ${batch}`;
          results.push({ name, arena, alive, ratio: arena / alive });
        }
    }
    const program = await lowered(large, ["train"]);
    const train = program.entries.find(({ name }) => name.startsWith("train"));
    const bytes = evaluate(program.bytes.get(train), new Map([["B", large.batch]]));
    return {
      results: { entries: results, training: bytes },
      lines: [
        ...results.map(
          ({ name, arena, alive, ratio }) =>
            `${name.padEnd(34)} arena ${mega(arena)}, alive at one kernel ${mega(alive)}: ${ratio.toFixed(3)} x`,
        ),
        `training ResNet-18 at 224 x 224, batch ${large.batch}: ${mega(bytes)}`,
      ],
      targets: [
        ...results.map(({ name, ratio }) => ({
          found: `${name} ${ratio.toFixed(2)} x`,
          limit: `at most ${most}`,
          holds: ratio <= most,
          value: ratio,
        })),
        {
          found: `training ResNet-18 ${mega(bytes)}`,
          limit: `at most ${mega(large.most)}`,
          holds: bytes <= large.most,
          value: bytes,
        },
      ],
    };
  },
};
