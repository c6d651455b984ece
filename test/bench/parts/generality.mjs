// Generality: random products of matrices and random convolutions, each against the same with every size rounded up to a
// multiple of 8 (at least 16), in GFLOP/s, in turn.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startSide } from "../contender.mjs";
import { built, prepared } from "../own.mjs";
import { median } from "../statistics.mjs";
import { inScratch } from "./scratch.mjs";

const { uniform } = await built("src/random-inputs.js");

const matmuls = 40;
const convolutions = 20;
const leastMedian = 0.75;
const leastOfAll = 0.4;
/** rounds of turns; the first warms up */
const rounds = 4;
const turn = 60;

const even = (size) => Math.max(16, Math.ceil(size / 8) * 8);

const matmul = {
  draw: (below) => ({ M: 1 + below(1024), N: 1 + below(1024), K: 1 + below(1024) }),
  rounded: ({ M, N, K }) => ({ M: even(M), N: even(N), K: even(K) }),
  text: ({ M, N, K }) =>
    `model Product(a: [M=${M}, K=${K}], b: [K=${K}, N=${N}]) -> [M=${M}, N=${N}] {\n  dot(a, b) over K\n}\n`,
};

const convolution = {
  draw(below) {
    const size = [1, 3, 5, 7][below(4)];
    const dilation = 1 + below(2);
    const least = dilation * (size - 1) + 1;
    const side = () => least + below(64 - least);
    return {
      H: side(),
      W: side(),
      C: 1 + below(300),
      Out: 1 + below(300),
      size,
      stride: 1 + below(2),
      dilation,
    };
  },
  rounded: ({ H, W, C, Out, ...window }) => ({
    H: even(H),
    W: even(W),
    C: even(C),
    Out: even(Out),
    ...window,
  }),
  text: ({ H, W, C, Out, size, stride, dilation }) =>
    `model Convolution(x: [B, H=${H}, W=${W}, C=${C}]) -> [B, _, _, ${Out}] {\n` +
    `  x -> Conv(${Out}, ${size}, stride = ${stride}, dilation = ${dilation})\n}\n`,
};

const told = (shape) =>
  Object.entries(shape)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");

/** GFLOP/s of a shape and of its rounded one. */
async function pair(kind, shape, folder, sides) {
  const both = [];
  for (const [i, each] of [shape, kind.rounded(shape)].entries()) {
    const program = join(folder, `shape${i}.dlm`);
    writeFileSync(program, `dlm 1\n\n${kind.text(each)}`);
    const { relaxed, flops } = await prepared({
      program,
      sizes: kind === convolution ? { B: 1 } : {},
      resident: true,
    });
    both.push({ flops, times: [], ask: ask(sides[i]) });
    await both[i].ask({ what: "open", ...relaxed });
  }
  for (let round = 0; round < rounds; round++)
    for (const { ask: request, times } of both) {
      const answer = await request({ what: "turn" });
      if (round > 0) times.push(...answer.times);
    }
  return both.map(({ flops, times }) => flops / median(times) / 1e6);

  function ask(side) {
    return async (request) => {
      const answer = await side.ask({ milliseconds: turn, clock: sides.clock, ...request });
      if (answer.error !== undefined) throw new Error(`${told(shape)}: ${answer.error}`);
      return answer;
    };
  }
}

export const generality = {
  name: "generality",
  run: ({ seed, clock, folder: peers }) =>
    inScratch(async (folder) => {
      const next = uniform(seed, 0);
      const below = (count) => Math.floor(next() * count);
      const sides = Object.assign([startSide("dlmc", peers), startSide("dlmc", peers)], { clock });
      const results = {};
      try {
        for (const [name, kind, count] of [
          ["matmul", matmul, matmuls],
          ["convolution", convolution, convolutions],
        ]) {
          results[name] = [];
          for (let i = 0; i < count; i++) {
            const shape = kind.draw(below);
            const [gflops, rounded] = await pair(kind, shape, folder, sides);
            results[name].push({ shape, gflops, rounded, ratio: gflops / rounded });
          }
        }
      } finally {
        for (const side of sides) side.stop();
      }
      const percent = (value) => `${(100 * value).toFixed(0)} %`;
      const targets = Object.entries(results).flatMap(([name, each]) => {
        const ratios = each.map(({ ratio }) => ratio);
        return [
          ["median", median(ratios), leastMedian],
          ["minimum", Math.min(...ratios), leastOfAll],
        ].map(([what, value, least]) => ({
          found: `${name}, ${what} ${percent(value)} of the rounded shape`,
          limit: `at least ${percent(least)}`,
          holds: value >= least,
          value,
        }));
      });
      const lines = Object.entries(results).flatMap(([name, each]) => [
        `${each.length} of ${name}, seed ${seed}: median ${median(each.map(({ gflops }) => gflops)).toFixed(1)} GFLOP/s; the slowest against rounded sizes:`,
        ...each
          .toSorted((a, b) => a.ratio - b.ratio)
          .slice(0, 3)
          .map(
            ({ shape, gflops, rounded, ratio }) =>
              `  ${told(shape)}: ${gflops.toFixed(1)} of ${rounded.toFixed(1)} GFLOP/s, ${percent(ratio)}`,
          ),
      ]);
      return { results, lines, targets };
    }),
};
