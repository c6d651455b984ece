/** Seeded random numbers for tests: the same seed gives the same numbers everywhere. */
import { threefry } from "../../compiler/ops/random-bits.ts";

export interface Random {
  /** in [0, 1) */
  next(): number;
  /** a whole number in [0, count) */
  below(count: number): number;
  uniform(low: number, high: number): number;
  pick<T>(from: readonly T[]): T;
  chance(probability: number): boolean;
}

export function random(seed: number): Random {
  let counter = 0;
  const next = (): number => {
    const [word] = threefry([seed | 0, 0x74657374], [counter++, 0]);
    return (word >>> 0) / 2 ** 32;
  };
  const below = (count: number): number => Math.floor(next() * count);
  return {
    next,
    below,
    uniform: (low, high) => low + (high - low) * next(),
    pick: (from) => from[below(from.length)]!,
    chance: (probability) => next() < probability,
  };
}

/** The seed of this run: from the environment variable SEED, else from the clock. It is printed by what uses it. */
export function seedOfRun(): number {
  const given = process.env["SEED"];
  return given === undefined ? Date.now() % 1_000_000 : Number(given);
}
