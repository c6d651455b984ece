/**
 * The library under test, one entry an item: a small model, and what is known of it. Adding a declaration to the library
 * is adding its entries in items/; test/library-*.test.ts do the rest, and fail where a declaration has none.
 */
import { activations } from "./items/activations.ts";
import { attention } from "./items/attention.ts";
import { convolutions } from "./items/convolution.ts";
import { dropout } from "./items/dropout.ts";
import type { Item } from "./items/item.ts";
import { layers } from "./items/layers.ts";
import { losses } from "./items/losses.ts";
import { normalisation } from "./items/normalisation.ts";
import { pooling } from "./items/pooling.ts";
import { recurrent } from "./items/recurrent.ts";
import { resizing } from "./items/resizing.ts";
import { schedules } from "./items/schedules.ts";
import { statistics } from "./items/statistics.ts";

export type { Hand, Item } from "./items/item.ts";

export const items: readonly Item[] = [
  ...activations,
  ...attention,
  ...convolutions,
  ...dropout,
  ...layers,
  ...normalisation,
  ...pooling,
  ...recurrent,
  ...resizing,
  ...losses,
  ...schedules,
  ...statistics,
];

/** Held by other tests of this table: test/library-training.test.ts runs them from a seed or in steps. */
export const optimizers = [
  "sgd",
  "adam",
  "adamw",
  "rmsprop",
  "adagrad",
  "adadelta",
  "nadam",
  "lion",
  "lamb",
] as const;
export const initialisers = [
  "glorot",
  "glorot_normal",
  "he",
  "he_uniform",
  "truncated_normal",
  "orthogonal",
  "polar_step",
] as const;
