/**
 * Random numbers by counter: Threefry-2x32 with 20 rounds (Salmon et al. 2011, "Parallel random numbers: as easy as
 * 1, 2, 3"), the same function as in compiled programs. There is no state: what is drawn follows from key and counter.
 */

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const parity = 0x1bd11bda;

/** Two words of 32 random bits for a key and a counter of two words each; written to `into`, as unsigned numbers. */
export function threefry(
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
  into: Uint32Array,
): void {
  const keys = [key0 | 0, key1 | 0, parity ^ key0 ^ key1] as const;
  let x = (counter0 + keys[0]) | 0;
  let y = (counter1 + keys[1]) | 0;
  for (let round = 0; round < 20; round++) {
    const rotation = rotations[round & 7]!;
    x = (x + y) | 0;
    y = ((y << rotation) | (y >>> (32 - rotation))) ^ x;
    if ((round & 3) === 3) {
      const injection = (round + 1) >> 2;
      x = (x + keys[injection % 3]!) | 0;
      y = (y + keys[(injection + 1) % 3]! + injection) | 0;
    }
  }
  into[0] = x;
  into[1] = y;
}
