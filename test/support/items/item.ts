/** What an entry of the table of library items says. */
import type { Phase } from "../../../compiler/check/frame.ts";

export interface Item {
  /** unique; names the recorded numbers of PyTorch too */
  readonly name: string;
  /** declarations of the library that it holds */
  readonly of: readonly string[];
  /** signature, " : ", body; lines are separated by " ; " */
  readonly model: string;
  readonly phase?: Phase;
  /** sizes of free dims besides B, several to be tried in turn */
  readonly sizes?: Readonly<Record<string, readonly number[]>>;
  /** number of classes of each integer input */
  readonly classes?: Readonly<Record<string, number>>;
  /** range of the numbers of an input, where it is not [-2, 2]; of states ending in v and s [0.5, 1.5] */
  readonly ranges?: Readonly<Record<string, readonly [number, number]>>;
  /** a row of `out` does not depend on other rows: it has the same bits in every batch */
  readonly rows?: true;
  /** values of `out` for inputs written out, weights and states included, and of gradients where out's cotangent is 1 */
  readonly hand?: readonly Hand[];
  /** recorded by test/pytorch/record-library.py */
  readonly torch?: true;
  /** what f32 edge inputs are given to; all float inputs where absent */
  readonly edges?: readonly string[];
  /** what is a sum of numbers that take each other away: its error is measured by the largest number of the item */
  readonly cancels?: readonly string[];
  /** why gradients are not checked */
  readonly noGradient?: string;
}

/** Inputs by name; `out`, `d.x` and states are what comes out. Numbers are rows one after the other. */
export type Hand = Readonly<Record<string, readonly number[]>>;

export const fill = (count: number, value: number): number[] => Array.from({ length: count }, () => value);
