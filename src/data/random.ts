/** The order of rows and what else is drawn around data: by counter, so that it follows from seed, row and epoch alone. */
import { threefry } from "../../runtime/random.ts";

/** Keys of the uses of randomness around data, so that one seed serves all of them independently. */
export const streams = { split: 0x73706c69, epoch: 0x65706f63, augment: 0x6175676d } as const;
export type Stream = keyof typeof streams;

/**
 * The rows in random order: sorted by 32 random bits drawn by (seed, stream, row, epoch), equal bits in the given
 * order. The order of two rows does not depend on which other rows there are.
 */
export function shuffled(rows: Int32Array, seed: number, stream: Stream, epoch = 0): Int32Array {
  const drawn = new Uint32Array(2);
  const keys = new BigUint64Array(rows.length);
  const words = new Uint32Array(keys.buffer);
  rows.forEach((row, at) => {
    threefry(seed, streams[stream], row, epoch, drawn);
    words[2 * at] = at;
    words[2 * at + 1] = drawn[0]!;
  });
  keys.sort();
  return rows.map((_, at) => rows[words[2 * at]!]!);
}
