/** What a line of a `check` block found. */
export interface CheckResult {
  readonly ok: boolean;
  /** the largest distance found, as `within` counts it */
  readonly error: number;
  readonly within: number;
  /** for people */
  readonly text: string;
  readonly help?: string;
}

/** The tensor whose numbers are furthest from what they should be, relative to its largest number. */
export interface Distance {
  readonly name: string;
  readonly error: number;
}

/** `least`: a tensor of smaller numbers is taken as having this as its largest. */
export function furthest(
  found: ReadonlyMap<string, ArrayLike<number>>,
  expected: ReadonlyMap<string, ArrayLike<number>>,
  least = 1e-30,
): Distance {
  let worst: Distance = { name: "", error: -1 };
  for (const [name, numbers] of expected) {
    const error = distance(found.get(name), numbers, least);
    if (error > worst.error) worst = { name, error };
  }
  return worst;
}

/** Infinite where a tensor is missing, of another size, or holds what is not a number. */
function distance(found: ArrayLike<number> | undefined, expected: ArrayLike<number>, least: number): number {
  if (found?.length !== expected.length) return Infinity;
  let largest = least;
  let most = 0;
  for (let i = 0; i < expected.length; i++) {
    const off = Math.abs(found[i]! - expected[i]!);
    if (!(off <= Number.MAX_VALUE)) return Infinity;
    most = Math.max(most, off);
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return most / largest;
}
