/** The words of the language itself, as `dlmc explain` tells them: what each is written like, and what it means. */

export interface Construct {
  readonly name: string;
  /** as a person would write it */
  readonly signature: string;
  readonly doc: string;
}

const construct = (name: string, signature: string, doc: string): Construct => ({ name, signature, doc });

export const constructs: readonly Construct[] = [
  // ---------------------------------------------------------------- declarations
  construct("dlm", "dlm 1", "The first line of a file: the edition of the language it is written in."),
  construct(
    "use",
    'use "./blocks.dlm" (Block)',
    'Brings in what another file declares: `use "./blocks.dlm"` is relative to this file, `use std.text` is a part of the library, `use "@dlm/vision"` is a package. Names in parentheses are taken alone.',
  ),
  construct(
    "let",
    "let Width = 32",
    "A value known before running, under a name that models and workflow blocks of the file see. A capital name is a size, and labels the axis that it makes.",
  ),
  construct(
    "module",
    "module Name(configuration)(x: [B, D]) -> [B, Out] where ... { ... }",
    "A part of models with weights, states or statistics of its own: its name starts with a capital. It sees nothing but its parameters. Each use makes an instance with weights of its own; a named instance that is used twice shares them.",
  ),
  construct(
    "model",
    "model Name(image: u8[B, H=28, W=28, C=1]) -> [B, Class=10] where ... { ... }",
    "What is trained, evaluated and compiled. It is written like a module, and sees the `let`s of its file too. A parameter of the type of a data set, `home: Housing`, is a batch of its rows.",
  ),
  construct(
    "fn",
    "fn name(configuration)(x: [..]) -> [..] where ... { ... }",
    "A function of tensors without weights.",
  ),
  construct(
    "op",
    "op name(configuration)(x: [B, I], k: [I, O]) -> [B, O] { y[b, o] += x[b, i] * k[i, o] }",
    "A sum of products in index notation. Its body is that one line; each letter runs over the axis it reads, and what does not stand on the left is summed.",
  ),
  construct(
    "optimizer",
    "optimizer name(rate) where 0 <= rate { w <- w - rate * g }",
    "A rule by which a gradient changes weights. `w` is the weights, `g` their gradient, `step` counts from 1; a `state` keeps a number for each weight.",
  ),
  construct(
    "data",
    'data Name from csv("file.csv") { ... }',
    "Rows, and what their columns hold: its settings say which the model may read, which it learns, and how rows are split.",
  ),
  construct(
    "train",
    "train Model on Data { ... }",
    "How a model is trained: its loss, its optimizer, and how long.",
  ),
  construct(
    "evaluate",
    "evaluate Model on Data.test { ... }",
    "What `dlmc evaluate` measures on a split, and what must be reached.",
  ),
  construct(
    "deploy",
    "deploy Model { ... }",
    "What `dlmc compile` makes of a model: its inputs, its outputs, how weights are stored.",
  ),
  construct(
    "tune",
    "tune Model { ... }",
    "A search over `let`s of the file. This version of dlmc does not build it.",
  ),
  construct(
    "check",
    "check Name { gradient, overfit one batch }",
    "What `dlmc check --run` tries on a model, a module or a function: its gradients, its compiled code, whether it learns, recorded results.",
  ),
  construct(
    "where",
    "where heads divides D, 0 <= rate, rate < 1",
    "What a declaration needs of its sizes and its configuration. Its body may rely on it, and each call is checked to keep it.",
  ),
  construct(
    "divides",
    "where heads divides D",
    "That a size is a multiple of another one: only then may it be divided, `D / heads`.",
  ),
  construct(
    "on",
    "train Model on Data",
    "The rows that a block is about: a data set, or one split of it, `Data.test`.",
  ),
  construct(
    "from",
    'data Name from csv("file.csv")',
    "Where rows come from: `csv`, `json`, `arrays`, `idx`, `text`, or `app`, which gives them while it runs.",
  ),

  // ---------------------------------------------------------------- bodies
  construct(
    "weight",
    "weight kernel : [In, Out] ~ glorot",
    "Numbers that training changes. Behind `~` stands an initialiser, behind `=` the first value itself.",
  ),
  construct(
    "state",
    "state m : [C] = 0",
    "Numbers that a module keeps and that no gradient changes: `m <- ...` gives it a new value, under `if training` or `if fitting`.",
  ),
  construct(
    "if",
    "if In == Out { ... } else { ... }",
    "Chooses before anything runs: its condition is about configuration, sizes, `training` or `fitting`. In a pipeline without `else`, the input goes on as it is.",
  ),
  construct(
    "else",
    "if bias { ... } else { ... }",
    "The body that stands for an `if` whose condition does not hold.",
  ),
  construct(
    "training",
    "if training { ... }",
    "Holds in the program that trains, and not in the one that is used or evaluated.",
  ),
  construct(
    "fitting",
    "if fitting { ... }",
    "Holds once, before the first step, in a pass over all train rows: there a module such as `Standardize` learns its statistics.",
  ),
  construct(
    "repeat",
    "-> repeat 6 { Block(8) }",
    "The body so many times in a row, each time with weights of its own. With a label, `blocks: repeat 6`, these are `blocks.0`, `blocks.1` and so on. `repeat 6 shared` takes the same weights each time.",
  ),
  construct("shared", "-> repeat 6 shared { Block(8) }", "One instance for all passes of a `repeat`."),
  construct(
    "for",
    "-> for n in [64, 128, 256] { Conv(n, 3) -> relu -> maxpool(2) }",
    "The body once for each value of a list or a range, `for n in 1..3`, one after the other; sizes may change from one to the next.",
  ),
  construct("in", "-> for n in 1..3 { ... }", "Stands before the values of a `for`."),
  construct(
    "residual",
    "-> residual { Dense(64) -> relu }",
    "x + f(x), where f is the body. `residual via shortcut { ... }` is shortcut(x) + f(x). The sizes of both must agree.",
  ),
  construct(
    "via",
    "-> residual via Conv(64, 1) { ... }",
    "What stands in the place of x in the sum of a `residual`.",
  ),
  construct(
    "branch",
    "-> branch { Conv(8, 1), Conv(8, 3) } -> concat",
    "Gives its input to each line of the body, and makes a list of their results: `concat` joins them, or names take them apart.",
  ),
  construct(
    "recompute",
    "-> recompute { Block(8) }",
    "What the body computes is not kept for the backward pass and is computed again there: less memory, more time, the same numbers.",
  ),
  construct(
    "scan",
    "scan x over T with h = zeros[B, H] { h = concat(x, h) -> Dense(H) -> tanh, yield h }",
    "Goes along an axis step by step. In the body x has lost that axis, and each carry has the value that the step before bound to it. What `yield` gives is stacked along the axis; without it the result is the last value of the first carry.",
  ),
  construct(
    "with",
    "scan x over T with h = zeros[B, H] { ... }",
    "The carries of a `scan`, with their values before the first step.",
  ),
  construct("yield", "yield h", "What a step of a `scan` gives: all of them are stacked along the axis."),
  construct(
    "over",
    "mean(x) over [H, W]",
    "The axes that a function works along, by their labels. `over last` is the feature axis, `over [..]` all axes.",
  ),
  construct("last", "softmax over last", "The last axis of a tensor of at least two, whatever its label."),
  construct("as", "k -> cache(T as S, max = 256)", "Gives an axis, or the number of tokens, another name."),
  construct(
    "_",
    "x -> dot(v, _) over S",
    "The value that an arrow brings, where it is not the first argument.",
  ),
  construct("not", "if not causal { ... }", "Holds where a condition does not."),
  construct(
    "and",
    "if bias and In == Out { ... }",
    "Holds where both conditions do; between tensors of true and false, for each element.",
  ),
  construct(
    "or",
    "where not causal or 1 <= max",
    "Holds where one of two conditions does; between tensors of true and false, for each element.",
  ),
  construct("mod", "n mod 2", "The rest of a division of whole numbers."),

  // ---------------------------------------------------------------- workflow blocks
  construct(
    "out",
    "loss cross_entropy(out, label)",
    "In `train`, `evaluate` and `deploy`: what the model gives; `out.name` where it gives several.",
  ),
  construct(
    "epoch",
    "optimizer adam(cosine(1e-3, total = 12 * epoch))",
    "In `train`: as many steps as one pass over the rows takes.",
  ),
];
