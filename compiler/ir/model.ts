/**
 * What the checker hands on: the entry graphs of one model (or train block) and what their inputs mean.
 *
 * Conventions of entry graphs:
 * - All weights are one input of role `weight` named `parameters`, f32[P]; a weight is a slice and split of it. Gradients
 *   and elementwise optimizer states mirror it as f32[P] (state inputs named `optimizer.m`, ...), so that an elementwise
 *   optimizer is one kernel. Sorted by (model, kind, path), kinds in the order kernel, table, other.
 * - Every state of the model is an input of role `state` named by its path: `norm.m`.
 * - Control scalars (rank 0): seed i32, iteration i32 (from 0), step f32 (from 1), steps_per_epoch f32, rate_factor f32,
 *   first_row i32 (rows of the chunks before); an entry declares those it reads.
 * - `infer`: inputs as deploy or the model says; outputs by name (`out` when there is one).
 * - `measure`: inputs are the model's inputs and the targets; outputs `loss` (mean over the batch, no penalties) and the
 *   model's outputs `out` or `out.NAME`.
 * - `train`: the same inputs; outputs `loss`, `gradient_norm` (before clipping) and `status` (i32, 1: weights were updated,
 *   0: loss or gradient was not finite and nothing was written).
 * - Where several batches make one update: `train` adds its gradient to the states `optimizer.gathered.*` and outputs also
 *   `gathered`, how many batches they hold; `update` without inputs updates by their mean and empties them, and outputs
 *   `gradient_norm` and `status`. The entry `train` names it.
 * - Where steps of several models take turns: `train.MODEL` for each, with optimizer states `optimizer.MODEL.m` as long as
 *   the model's range of the parameters; `measure` has `loss.MODEL` of each and no other outputs.
 * - `sample`: what the block's `sample` asks for, as `sample`; inference phase.
 * - `init`: control seed; writes parameters and states.
 * - `fit`: only run by the reference on all rows of the train split; writes the states of fitted modules.
 */
import type { Dim } from "./dim.ts";
import type { Graph } from "./graph.ts";
import type { Tensor } from "./tensor.ts";

/** How a token is chosen by its scores: the likeliest; at random; among the k likeliest; among those that have the part p of the probability. */
export type Sample =
  | { readonly kind: "greedy" }
  | { readonly kind: "temperature"; readonly temperature: number }
  | { readonly kind: "top_k"; readonly k: number; readonly temperature: number }
  | { readonly kind: "top_p"; readonly p: number; readonly temperature: number };

/** How the texts of an input become rows of tokens: what one is, the end of a longer text that is kept, where a shorter one is filled up. */
export interface TextRule {
  readonly tokens: "words" | "pieces";
  readonly keep: "first" | "last";
  readonly pad: "before" | "after";
}

export interface Generate {
  /** the input of tokens, which grows */
  readonly input: string;
  /** the largest number of positions, those that are given included */
  readonly max: number;
  readonly sample: Sample;
}

/** A `where` of a model, kept by the sizes for which `size` is at least 0. */
export interface SizePromise {
  /** as written: `2 divides T` */
  readonly text: string;
  /** in the dims of the program */
  readonly size: Dim;
}

export interface WeightEntry {
  readonly path: string;
  readonly shape: readonly number[];
  /** elements from the start of the parameter region */
  readonly offset: number;
  readonly kind: "kernel" | "table" | "other";
}

export interface StateEntry {
  /** the name of its graph input */
  readonly path: string;
  readonly shape: readonly number[];
  readonly initial: Tensor;
}

/** What the .d.ts and reports know of an input or output. */
export interface TensorFacts {
  readonly labels: readonly (string | undefined)[];
  /** of the integers of an int<N> input, or of the last axis of an output */
  readonly classes?: readonly string[];
  /** of an input that takes texts: their tokens are the classes */
  readonly text?: TextRule;
}

export interface EntryGraph {
  readonly graph: Graph;
  /** rows of the leading free dim do not depend on each other (proved) */
  readonly rows: boolean;
  readonly tensors: ReadonlyMap<string, TensorFacts>;
  /** default maximum of each free dim */
  readonly defaults: ReadonlyMap<string, number>;
  /** what the program promises of the sizes of a call */
  readonly promises?: readonly SizePromise[];
  /** of a step that gathers gradients: the entry that updates by them, and after how many batches */
  readonly update?: { readonly entry: string; readonly every: number } | undefined;
}

export interface ModelGraphs {
  /** of the model */
  readonly name: string;
  readonly weights: readonly WeightEntry[];
  readonly states: readonly StateEntry[];
  readonly optimizer: readonly StateEntry[];
  /** by train entry: control scalars -> the learning rate (`rate`), for what tools show */
  readonly rates?: ReadonlyMap<string, Graph>;
  readonly entries: readonly EntryGraph[];
  /** what the entry `step` makes longer, where there is one */
  readonly generate?: Generate | undefined;
}
