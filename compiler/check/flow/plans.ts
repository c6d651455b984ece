/** What the workflow blocks of a checked program ask of the tools: plain data, all names resolved, all defaults filled in. */
import type { Expression } from "../../../grammar/ast.ts";
import type { Span } from "../../../grammar/source.ts";
import type { Generate, TextRule } from "../../ir/model.ts";

// ---------------------------------------------------------------- data

/** Where rows come from: files, or the app that trains the compiled model. */
export interface ReaderPlan {
  readonly kind: "csv" | "json" | "idx" | "arrays" | "text" | "app";
  /** as written, relative to the folder of the file that `span` lies in; empty of an app */
  readonly path: string;
  /** of text: further files, read behind the first */
  readonly also: readonly string[];
  /** of csv and json: files that hold a split of their own */
  readonly given: Readonly<Partial<Record<"valid" | "test", string>>>;
  readonly span: Span;
  /** of csv; the default is a comma */
  readonly delimiter: string;
}

/** A size of one row's array, or the name of a late dim that the data pins. */
export type LateSize = { readonly late: string };

export interface ColumnPlan {
  readonly name: string;
  readonly span: Span;
  readonly role: "input" | "target";
  readonly kind: "number" | "category" | "text" | "array";
  /** of the tensor that a batch holds: f32 for numbers, i32 for categories and tokens */
  readonly dtype: "f32" | "i32" | "u8";
  /** of one row; [] for numbers and categories, the window for texts */
  readonly shape: readonly number[];
  readonly labels: readonly (string | undefined)[];
  /** how a text becomes the tokens of its row; undefined of other columns */
  readonly text?: RowTextPlan;
  /**
   * Of categories, int<N> arrays and tokens of a text. `names`: in the order of their ids, given in the program or pinned by the facts;
   * undefined: the sorted distinct values of the train split. `size`: undefined while the data is unknown.
   */
  readonly classes:
    | {
        readonly names: readonly string[] | undefined;
        readonly size: number | undefined;
        /** the size it is known as: `Pets.Breed` for `as Breed`, else `Housing.ocean` */
        readonly dim: string;
        /** names were written in the program */
        readonly given: boolean;
      }
    | undefined;
}

export type Fill =
  { readonly with: "mean" | "median" } | { readonly with: "value"; readonly value: number | string };

/** Rows of one split: a part of all rows, a number of rows, the set the source itself keeps apart, or what is left. */
export type SplitPart =
  | { readonly kind: "fraction"; readonly value: number }
  | { readonly kind: "count"; readonly value: number }
  | { readonly kind: "given" }
  | { readonly kind: "rest" };

export type SplitName = "train" | "valid" | "test";

export interface SplitPlan {
  /** a split that is not named has no rows, except that train takes the rest */
  readonly parts: Readonly<Partial<Record<SplitName, SplitPart>>>;
  readonly seed: number;
  /** false: train, valid, test are taken in the order of the rows */
  readonly shuffle: boolean;
}

/** A random change of train rows, drawn by counter from seed, epoch and row. Axes count from 0 in one row's array. */
export type AugmentPlan =
  | {
      readonly kind: "flip";
      readonly column: string;
      readonly axis: number;
      /** 0 to 1 */ readonly chance: number;
    }
  | {
      readonly kind: "shift";
      readonly column: string;
      readonly axes: readonly number[];
      /** by at most so many places either way, 0 moves in */ readonly by: number;
    };

/** How a text becomes ids: by characters, or by byte pairs joined until there are `size` tokens. */
export type TokenizerPlan = { readonly kind: "chars" } | { readonly kind: "bpe"; readonly size: number };

/**
 * How a text of a row becomes a fixed number of ids. Token 0 fills up, token 1 stands for what the vocabulary does not hold;
 * both count among the `size` of `words` (the most frequent ones of the train split) and `bpe`.
 */
export interface RowTextPlan {
  readonly tokenizer: TokenizerPlan | { readonly kind: "words"; readonly size: number };
  /** the end of a longer text that is kept */
  readonly keep: TextRule["keep"];
  /** where a shorter text is filled up */
  readonly pad: TextRule["pad"];
}

/**
 * How a text becomes rows: tokens in windows one behind the other, in the column `text`; the same windows one token
 * further on in `target`. Splits are contiguous parts of the text, and no window reaches over their borders.
 */
export interface TextPlan {
  readonly tokenizer: TokenizerPlan;
  /** tokens in a row */
  readonly window: number;
  readonly target: string | undefined;
}

export interface DataPlan {
  /** `dataKey` of the declaration */
  readonly key: string;
  readonly name: string;
  readonly span: Span;
  readonly reader: ReaderPlan;
  /** of text, else undefined */
  readonly text: TextPlan | undefined;
  readonly columns: readonly ColumnPlan[];
  readonly drop: { readonly missing: boolean; readonly duplicates: boolean };
  /** by column name; statistics come from the train split */
  readonly fill: Readonly<Record<string, Fill>>;
  /** undefined: as the source gives it, else every row is in train */
  readonly split: SplitPlan | undefined;
  readonly augment: readonly AugmentPlan[];
}

// ---------------------------------------------------------------- train

/** A measured value, as `valid.loss`: which way is better follows from the metric. */
export interface WatchPlan {
  readonly split: "train" | "valid" | "test";
  readonly metric: string;
  readonly larger: boolean;
  readonly text: string;
  readonly span: Span;
}

/** An input of the entries measure and train that is filled from a column. */
export interface FeedPlan {
  readonly column: string;
  readonly input: string;
}

/** One kind of training step: what it makes small, and by which rule it changes which weights. */
export interface PartPlan {
  /** its entry: `train`, or `train.NAME` of a step or stage */
  readonly entry: string;
  /** the model of a `step`; undefined where the block is one part */
  readonly name: string | undefined;
  readonly span: Span;
  readonly loss: {
    readonly text: string;
    readonly span: Span;
    readonly terms: readonly string[];
  };
  readonly optimizer: { readonly name: string; readonly text: string; readonly span: Span };
  readonly penalty: { readonly l1: number; readonly l2: number };
  /** largest norm of the gradient; undefined: not clipped */
  readonly clip: number | undefined;
  /** of a `stage`, which follow each other */
  readonly stage: StagePlan | undefined;
  /** the lines that hold, in their order; of two that speak of a path, the later one decides */
  readonly frozen: readonly FreezeRule[];
}

export interface StagePlan {
  readonly name: string;
  readonly epochs: number;
  readonly stop: TrainPlan["stop"];
}

/** A line `freeze backbone`, or `thaw backbone.weights`. */
export interface FreezeRule {
  readonly kind: "freeze" | "thaw";
  /** of a part of the model, or of a weight */
  readonly path: string;
  /** it says nothing of states, and the part runs in the phase it would run in anyway */
  readonly weightsOnly: boolean;
  readonly span: Span;
}

export interface TrainPlan {
  readonly name: string;
  /** the name of its model; of a block that trains several models by turns, its own */
  readonly model: string;
  /** names of the models whose weights are trained */
  readonly models: readonly string[];
  readonly span: Span;
  /** key of the data declaration, and the split whose rows are used */
  readonly data: string;
  readonly split: SplitName;
  /** targets that the loss reads, in the order of the loss */
  readonly targets: readonly string[];
  /** one, or the steps that take turns with every batch, or the stages that follow each other */
  readonly parts: readonly PartPlan[];
  /** what is written into the run folder after every so many epochs */
  readonly sample: { readonly text: string; readonly every: number } | undefined;
  /** decay of the moving average of the weights, above 0 and below 1; undefined: there is none */
  readonly average: number | undefined;
  readonly batch: number;
  readonly last: "keep" | "drop";
  /** of activations; the only target computes in f32 with either */
  readonly precision: "f32" | "f16";
  /** batches of one update, at least 1 */
  readonly accumulate: number;
  /** of all stages together; where only `steps` is given: as many as these need, or without an end while the number of rows is unknown */
  readonly epochs: number;
  /** ends earlier, after so many steps */
  readonly steps: number | undefined;
  readonly seed: number;
  readonly shuffle: boolean;
  readonly stop: { readonly watch: WatchPlan; readonly patience: number } | undefined;
  readonly keep: WatchPlan | undefined;
  readonly plateau: PlateauPlan | undefined;
}

/** Multiplies the rate by `factor` whenever the watched value has not become better for `patience` epochs. */
export interface PlateauPlan {
  readonly watch: WatchPlan;
  readonly factor: number;
  readonly patience: number;
  /** the rate does not fall below this one */
  readonly least: number;
}

// ---------------------------------------------------------------- evaluate

export interface MetricPlan {
  /** as reported: `precision(macro)` */
  readonly text: string;
  readonly name: string;
  readonly span: Span;
  readonly average: "macro" | "micro" | "weighted" | undefined;
  /** of top(k) */
  readonly k: number | undefined;
}

export type ReportPlan =
  { readonly kind: "confusion" } | { readonly kind: "by"; readonly column: string; readonly span: Span };

export interface RequirePlan {
  readonly text: string;
  readonly span: Span;
  readonly metric: MetricPlan;
  readonly operator: "<" | "<=" | "==" | "!=" | ">" | ">=";
  readonly value: number;
}

export interface EvaluatePlan {
  readonly name: string;
  readonly model: string;
  readonly span: Span;
  readonly data: string;
  readonly split: SplitName;
  /** what `out` is compared with */
  readonly target: string | undefined;
  readonly task: "classification" | "regression" | "other";
  readonly metrics: readonly MetricPlan[];
  readonly reports: readonly ReportPlan[];
  readonly requires: readonly RequirePlan[];
}

// ---------------------------------------------------------------- deploy

/** An input of a model that is computed from what the app gives. */
export interface DeployInput {
  readonly name: string;
  readonly expression: Expression;
}

/** An output of a deployed model that takes the place of its own. */
export interface DeployOutput {
  readonly name: string;
  readonly expression: Expression;
}

export interface DeployPlan {
  readonly name: string;
  readonly model: string;
  readonly span: Span;
  readonly targets: readonly ("wasm" | "webgpu" | "node")[];
  /** how weights are stored; they are computed with as f32 */
  readonly weights: "f32" | "f16";
  /** of the model's inputs those that the app does not give as they are */
  readonly inputs: readonly DeployInput[];
  /** none: those of the model */
  readonly outputs: readonly DeployOutput[];
  readonly generate: Generate | undefined;
}

// ---------------------------------------------------------------- check

/** What a `check` block compares; the reference in f64 is the meaning of the program. */
export const backends = ["reference", "wasm", "webgpu"] as const;
export type Backend = (typeof backends)[number];

export interface CheckPlan {
  readonly name: string;
  readonly span: Span;
  /** gradients against differences; `within` is relative */
  readonly gradient: { readonly span: Span; readonly within: number } | undefined;
  /** `within` is relative to the largest number of each tensor */
  readonly same:
    { readonly span: Span; readonly across: readonly Backend[]; readonly within: number } | undefined;
  /** the loss of one batch falls to this part of what it was */
  readonly overfit: { readonly span: Span; readonly steps: number; readonly part: number } | undefined;
  /** `file` is as written, relative to the folder of the file that `span` lies in; `within` as in `same` */
  readonly golden: { readonly span: Span; readonly file: string; readonly within: number } | undefined;
}

/** Everything the tools need to know of a program's workflow. */
export interface FlowPlans {
  readonly data: readonly DataPlan[];
  readonly train: readonly TrainPlan[];
  readonly evaluate: readonly EvaluatePlan[];
  readonly deploy: readonly DeployPlan[];
}
