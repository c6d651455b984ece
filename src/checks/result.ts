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

export function furthest(
  found: ReadonlyMap<string, ArrayLike<number>>,
  expected: ReadonlyMap<string, ArrayLike<number>>,
): Distance {
  let worst: Distance = { name: "", error: -1 };
  for (const [name, numbers] of expected) {
    const error = distance(found.get(name), numbers);
    if (error > worst.error) worst = { name, error };
  }
  return worst;
}

/** Infinite where a tensor is missing, of another size, or holds what is not a number. */
function distance(found: ArrayLike<number> | undefined, expected: ArrayLike<number>): number {
  if (found?.length !== expected.length) return Infinity;
  let largest = 0;
  let most = 0;
  for (let i = 0; i < expected.length; i++) {
    const off = Math.abs(found[i]! - expected[i]!);
    if (!(off <= Number.MAX_VALUE)) return Infinity;
    most = Math.max(most, off);
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return most === 0 ? 0 : most / Math.max(largest, 1e-30);
}
