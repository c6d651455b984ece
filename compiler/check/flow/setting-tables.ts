/**
 * The settings of every workflow block, as tables: what they are called, what they take, what they mean. A setting line
 * is a call without parentheses. Messages, hover, completion and signature help read these; the parser does not.
 */

export interface SettingDefinition {
  readonly name: string;
  /** as a person would write it, with the defaults */
  readonly signature: string;
  readonly doc: string;
  /** arguments that may be given by name; unnamed ones are read by the setting itself */
  readonly named?: readonly string[];
  /** how many arguments without a name it may have, one where absent */
  readonly most?: number;
  /** any name may stand before `=`: columns in `fill`, terms in `loss` */
  readonly anyName?: true;
  /** may stand more than once */
  readonly many?: true;
  /** has a type behind `:` */
  readonly typed?: true;
  /** has settings of its own in braces */
  readonly block?: true;
  /** belongs to the language, and this compiler does not build it */
  readonly later?: true;
}

export interface SettingTable {
  /** the word that starts the block */
  readonly block: string;
  readonly settings: readonly SettingDefinition[];
}

const later = (name: string, signature: string, doc: string): SettingDefinition => ({
  name,
  signature,
  doc,
  anyName: true,
  many: true,
  later: true,
});

export const dataSettings: SettingTable = {
  block: "data",
  settings: [
    {
      name: "input",
      signature: "input a, b : number",
      most: Infinity,
      doc: 'Columns that the model may read: `number`, `category`, `category("x", "y")`, `category as Name`, `text`, or an array type such as `u8[H=28, W=28, C=1]`.',
      many: true,
      typed: true,
    },
    {
      name: "target",
      signature: "target price : number",
      most: Infinity,
      doc: "Columns that the model learns to predict. They are not known when the model is used, so it cannot read them.",
      many: true,
      typed: true,
    },
    {
      name: "drop",
      signature: "drop missing, duplicates",
      most: Infinity,
      doc: "Leaves out rows with an empty field, or rows that repeat an earlier one, before the split.",
    },
    {
      name: "fill",
      signature: 'fill age = median, ocean = "unknown"',
      doc: "What stands for an empty field of a column: `mean` or `median` of the train split, a number, or a name.",
      anyName: true,
      many: true,
    },
    {
      name: "split",
      signature: "split train = 80%, valid = 10%, test = 10%, seed = 0",
      doc: "Rows for training, for choosing and for the report: parts of all rows, numbers of rows, or `given` where the source keeps a set apart. Rows are drawn by the seed.",
      named: ["train", "valid", "test", "seed", "balance", "by", "group"],
    },
    {
      name: "shuffle",
      signature: "shuffle off",
      doc: "`off`: the split takes rows in their order instead of at random, which is what happens without this line.",
    },
    {
      name: "augment",
      signature: "augment flip(W, chance = 50%), shift(H, W, by = 2)",
      most: Infinity,
      doc: "Random changes of the arrays of train rows, new in each epoch: `flip` along an axis, `shift` along axes by up to so many places with 0 moving in.",
    },
    later("filter", "filter CONDITION", "Keeps rows for which a condition holds."),
    later("resize", "resize 256, crop = 224", "Brings images to one size."),
    {
      name: "tokenize",
      signature: "tokenize chars as Chars",
      doc: "What the ids of texts stand for. `chars` are characters, `bpe(4096)` as many tokens of joined characters; of columns of texts also `words(20_000)`, the most frequent words in small letters. All is learned from the train split. The name is the number of tokens. Of columns, token 0 fills up rows, and token 1 is what is not known.",
    },
    {
      name: "window",
      signature: "window 128, target = next",
      doc: "The tokens of a row. Of a source of text, `target = next` adds a column `next` with the token that follows each of them. Of columns of texts, the `first` or `last` tokens of a longer text are kept, and a shorter one is filled up `after` or `before` its tokens: the first ones and after them, unless `keep` and `pad` say otherwise.",
      named: ["target", "keep", "pad"],
    },
  ],
};

/** What one kind of training step has: a `train` block, or each `step` of it. */
const partSettings: readonly SettingDefinition[] = [
  {
    name: "loss",
    signature: "loss cross_entropy(out, label)",
    doc: "One number that training makes small. Several named terms (`fit = ..., kl = ...`) are added up, and each is reported.",
    anyName: true,
  },
  {
    name: "optimizer",
    signature: "optimizer adam(1e-3)",
    doc: "The rule by which a gradient changes the weights: `sgd`, `adam`, `adamw`, `rmsprop`, `adagrad`, `adadelta`, `nadam`, `lion`, `lamb`, or an `optimizer` of the file. The rate may be a schedule: `adam(cosine(1e-3, total = 12 * epoch))`.",
  },
  {
    name: "penalty",
    signature: "penalty l2(1e-4)",
    most: Infinity,
    doc: "`l2(r)` adds r times the sum of squares of the kernels and tables to what is minimised, `l1(r)` r times the sum of their absolute values. The reported loss is without it.",
  },
  {
    name: "clip",
    signature: "clip 1.0",
    doc: "Scales the gradient of all weights together down to this norm where it is longer.",
  },
];

const freezing: readonly SettingDefinition[] = [
  {
    name: "freeze",
    signature: "freeze backbone",
    most: Infinity,
    doc: 'Keeps a part of the model as it is, by its path: its weights do not move, its states neither, and it runs as it does when the model is used. `freeze backbone.weights` keeps the weights alone; a path with a number stands in quotes: `freeze "blocks.0"`.',
    many: true,
  },
  {
    name: "thaw",
    signature: "thaw backbone.stage4",
    most: Infinity,
    doc: "Trains a part again that an earlier line or stage froze.",
    many: true,
  },
];

export const trainSettings: SettingTable = {
  block: "train",
  settings: [
    ...partSettings,
    {
      name: "batch",
      signature: "batch 32, last = keep",
      doc: "Rows of one step. `last = drop` leaves out the last, smaller batch of an epoch.",
      named: ["last"],
    },
    { name: "epochs", signature: "epochs 10", doc: "How often training goes through all rows." },
    { name: "steps", signature: "steps 5000", doc: "Ends training after so many steps, each an update." },
    {
      name: "seed",
      signature: "seed 0",
      doc: "Decides the initial weights, the order of rows, dropout and augmentation.",
    },
    {
      name: "shuffle",
      signature: "shuffle off",
      doc: "`off`: keeps the order of the rows in every epoch. Without this line each epoch has an order of its own.",
    },
    {
      name: "stop",
      signature: "stop early, watch = valid.loss, patience = 5",
      doc: "Ends training when the watched value has not become better for `patience` epochs.",
      named: ["watch", "patience"],
    },
    {
      name: "keep",
      signature: "keep best, by = valid.loss",
      doc: "The weights that training ends with: `best` by a measured value, or `last`.",
      named: ["by"],
    },
    {
      name: "plateau",
      signature: "plateau watch = valid.loss, factor = 0.1, patience = 5, least = 0",
      doc: "Multiplies the optimizer's rate by `factor` whenever the watched value has not become better for `patience` epochs, down to the rate `least`.",
      named: ["watch", "factor", "patience", "least"],
    },
    later("log", "log every = 100", "Reports the loss every so many steps."),
    {
      name: "accumulate",
      signature: "accumulate 4",
      doc: "Batches that make one update, by the mean of their gradients over all their rows: as a batch so many times larger in the memory of a small one. Steps, schedules and `steps` count updates; what is left at the end of an epoch makes one of its own.",
    },
    {
      name: "average",
      signature: "average ema(0.999)",
      doc: "Keeps an exponential moving average of weights and states with this decay: it is what is validated, kept and deployed, while training goes on with the weights themselves.",
    },
    {
      name: "precision",
      signature: "precision f16",
      doc: "The numbers that the model computes: `f32`, or `f16` (`mixed` says the same), where weights, sums, losses and the optimizer's state stay f32. On wasm all is computed in f32.",
    },
    {
      name: "sample",
      signature: "sample Generator(normal[16, Z]), every = 1 * epoch",
      doc: "Writes a value into the run folder after every so many epochs, with the same noise and the same rows each time: images as a sheet (.png), other arrays as .npy.",
      named: ["every"],
    },
    {
      name: "stage",
      signature: "stage head { freeze backbone, optimizer adam(1e-3), epochs 3 }",
      doc: "Trains in stages, one after the other, each with its own optimizer and epochs. What is frozen stays frozen until a later stage thaws it.",
      many: true,
      block: true,
    },
    {
      name: "step",
      signature: "step Critic { loss bce(Critic(real), 0.9), optimizer adam(2e-4) }",
      doc: "Trains several models by turns: with every batch each step makes its own loss small, by the weights of its own model alone.",
      many: true,
      block: true,
    },
    ...freezing,
  ],
};

export const stepSettings: SettingTable = { block: "step", settings: partSettings };

const ofStages = new Set(["optimizer", "penalty", "clip", "epochs", "stop"]);

export const stageSettings: SettingTable = {
  block: "stage",
  settings: [...freezing, ...trainSettings.settings.filter(({ name }) => ofStages.has(name))],
};

export const evaluateSettings: SettingTable = {
  block: "evaluate",
  settings: [
    {
      name: "metrics",
      signature: "metrics accuracy, f1(macro)",
      most: Infinity,
      doc: "What is measured: `loss`; for classes `accuracy`, `top(k)`, `precision`, `recall`, `f1` (each `macro`, `micro` or `weighted`), `roc_auc(one_vs_rest)`, `perplexity`; for numbers `mae`, `rmse`, `r2`.",
      many: true,
    },
    {
      name: "report",
      signature: "report confusion",
      most: Infinity,
      doc: "`confusion` counts predicted by true classes; `by = column` gives the metrics for each value of a category.",
      named: ["by"],
      many: true,
    },
    {
      name: "require",
      signature: "require accuracy >= 91%",
      most: Infinity,
      doc: "A condition on a metric; where it does not hold, the command fails.",
      many: true,
    },
  ],
};

export const deploySettings: SettingTable = {
  block: "deploy",
  settings: [
    {
      name: "target",
      signature: "target webgpu, wasm",
      most: Infinity,
      doc: "What the model is compiled to: `wasm`, `webgpu`, `node`. With both `webgpu` and `wasm` an app runs on WebGPU where it is there.",
    },
    {
      name: "weights",
      signature: "weights f32",
      doc: "How weights are stored: `f32`, or `f16` in half the bytes, which rounds each to 11 bits. States stay f32, and so does what is computed.",
    },
    {
      name: "input",
      signature: "input z = normal[B, Z]",
      doc: "An input of the model that is computed in what is compiled to be used, from what the app gives: noise is drawn with the seed of the call, or an input is prepared, as in `input image = image / 255`. An input that no such line speaks of is not given at all. Training, `evaluate` and `generate` go on with the model's own inputs.",
      anyName: true,
      many: true,
    },
    {
      name: "output",
      signature: "output probabilities = softmax(out) over Class",
      doc: "Takes the place of the model's outputs in what is compiled to be used: computed from `out` and the model's inputs. Several have names; one alone is called `out` unless it has one. Training, `evaluate` and `generate` go on with what the model gives.",
      anyName: true,
      many: true,
    },
    later("batch", "batch 8", "Largest number of rows of one call."),
    {
      name: "generate",
      signature: "generate text, max = 256, sample = top_k(40, temperature = 0.8)",
      doc: "Makes an input of tokens longer, one token after the other, up to `max` positions. `sample` is how a token is chosen: `greedy` (the likeliest, the default), `temperature(t)`, `top_k(k)` or `top_p(p)`, each of these also with a `temperature`.",
      named: ["max", "sample"],
    },
    later("stream", "stream audio", "Runs on an endless series."),
    later("serve", "serve http, port = 8080", "Serves the model over HTTP."),
    { ...later("monitor", "monitor { ... }", "Watches the model in use."), block: true },
  ],
};

export const tuneSettings: SettingTable = {
  block: "tune",
  settings: [
    later("vary", "vary width in [32, 64]", "A `let` whose value is searched."),
    later("search", "search random, trials = 60, seed = 0", "How the search goes."),
    later("prune", "prune median, after = 5 * epoch", "Ends hopeless trials early."),
    later("minimise", "minimise valid.loss", "What the search makes small."),
    later("maximise", "maximise valid.accuracy", "What the search makes large."),
    later("budget", "budget 2h", "When the search ends."),
  ],
};

export const checkSettings: SettingTable = {
  block: "check",
  settings: [
    {
      name: "gradient",
      signature: "gradient within = 1e-3",
      most: 0,
      doc: "Gradients towards every weight and float input agree with central differences in f64, on random numbers.",
      named: ["within"],
    },
    {
      name: "same",
      signature: "same across = [reference, wasm], within = 1e-5",
      most: 0,
      doc: "Results and gradients of compiled code agree with the reference in f64, relative to the largest number of each tensor.",
      named: ["across", "within"],
    },
    {
      name: "overfit",
      signature: "overfit one batch, steps = 300, part = 10%",
      doc: "Trained on the first batch alone, its loss falls to this part of what it was.",
      named: ["steps", "part"],
    },
    {
      name: "golden",
      signature: 'golden file("golden.json"), within = 1e-5',
      doc: "Results on repeatable random numbers are those of a file, which `dlmc check --run --record` writes.",
      named: ["within"],
    },
  ],
};

export const settingTables: readonly SettingTable[] = [
  dataSettings,
  trainSettings,
  tuneSettings,
  evaluateSettings,
  deploySettings,
  checkSettings,
];
