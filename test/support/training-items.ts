/** Rules of training under test: each is a setting of a `train` block and the same rule for one weight, by hand. */

/** What becomes of a weight: `memory` is kept from step to step, `step` counts from 1. */
export type Rule = (w: number, g: number, memory: Record<string, number>, step: number) => number;

export interface TrainingItem {
  /** names the recorded numbers of PyTorch */
  readonly name: string;
  /** lines of the train block besides the loss */
  readonly settings: readonly string[];
  readonly rule: Rule;
  /** what is done to the whole gradient before */
  readonly change?: (gradient: readonly number[], w: readonly number[]) => number[];
  /** what the rule brings about is multiplied by, for each weight (a tensor) as a whole */
  readonly factor?: (change: readonly number[], w: readonly number[]) => number;
}

const sgd =
  (rate: number): Rule =>
  (w, g) =>
    w - rate * g;

/** Sutskever et al. (2013), in PyTorch's form. */
const momentum =
  (rate: number, keep: number, nesterov = false): Rule =>
  (w, g, memory) => {
    const v = keep * (memory["v"] ?? 0) + g;
    memory["v"] = v;
    return w - rate * (nesterov ? g + keep * v : v);
  };

interface Adam {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly eps?: number;
  /** of adamw */
  readonly decay?: number;
}

/** Kingma and Ba (2015), algorithm 1, with its two corrections written out. */
const adam =
  (rate: number, { beta1 = 0.9, beta2 = 0.999, eps = 1e-8, decay = 0 }: Adam = {}): Rule =>
  (w, g, memory, step) => {
    const m = beta1 * (memory["m"] ?? 0) + (1 - beta1) * g;
    const v = beta2 * (memory["v"] ?? 0) + (1 - beta2) * g * g;
    Object.assign(memory, { m, v });
    const mean = m / (1 - beta1 ** step);
    const square = v / (1 - beta2 ** step);
    return w - rate * decay * w - (rate * mean) / (Math.sqrt(square) + eps);
  };

const rmsprop =
  (rate: number, alpha = 0.99, eps = 1e-8, keep = 0): Rule =>
  (w, g, memory) => {
    const v = alpha * (memory["v"] ?? 0) + (1 - alpha) * g * g;
    const b = keep * (memory["b"] ?? 0) + g / (Math.sqrt(v) + eps);
    Object.assign(memory, { v, b });
    return w - rate * b;
  };

const adagrad =
  (rate: number, eps = 1e-10, start = 0): Rule =>
  (w, g, memory) => {
    const v = (memory["v"] ?? start) + g * g;
    memory["v"] = v;
    return w - (rate * g) / (Math.sqrt(v) + eps);
  };

/** Zeiler (2012), algorithm 1. */
const adadelta =
  (rate = 1, rho = 0.9, eps = 1e-6): Rule =>
  (w, g, memory) => {
    const v = rho * (memory["v"] ?? 0) + (1 - rho) * g * g;
    const u = memory["u"] ?? 0;
    const change = Math.sqrt((u + eps) / (v + eps)) * g;
    Object.assign(memory, { v, u: rho * u + (1 - rho) * change ** 2 });
    return w - rate * change;
  };

/** Dozat (2016), with PyTorch's growing momentum. */
const nadam =
  (rate: number, { beta1 = 0.9, beta2 = 0.999, eps = 1e-8 }: Adam = {}, psi = 0.004): Rule =>
  (w, g, memory, step) => {
    const mu = (at: number): number => beta1 * (1 - 0.5 * 0.96 ** (at * psi));
    const m = beta1 * (memory["m"] ?? 0) + (1 - beta1) * g;
    const v = beta2 * (memory["v"] ?? 0) + (1 - beta2) * g * g;
    const done = (memory["done"] ?? 1) * mu(step);
    Object.assign(memory, { m, v, done });
    const ahead = ((1 - mu(step)) * g) / (1 - done) + (mu(step + 1) * m) / (1 - done * mu(step + 1));
    return w - (rate * ahead) / (Math.sqrt(v / (1 - beta2 ** step)) + eps);
  };

/** Chen et al. (2023), algorithm 2. */
const lion =
  (rate: number, beta1 = 0.9, beta2 = 0.99, decay = 0): Rule =>
  (w, g, memory) => {
    const m = memory["m"] ?? 0;
    memory["m"] = beta2 * m + (1 - beta2) * g;
    return w - rate * (Math.sign(beta1 * m + (1 - beta1) * g) + decay * w);
  };

/** You et al. (2020), algorithm 2: how far the elements of a weight go before it is known how long it is. */
const lamb = (settings: Adam = {}): Rule => adam(1, { eps: 1e-6, decay: 0.01, ...settings });

/** The rate in proportion to the length of the weight. */
const trust =
  (rate: number) =>
  (change: readonly number[], w: readonly number[]): number => {
    const [length, way] = [Math.hypot(...w), Math.hypot(...change)];
    return rate * (length > 0 && way > 0 ? length / way : 1);
  };

/** Scales a long gradient down to this norm, as torch.nn.utils.clip_grad_norm_. */
const clip =
  (norm: number) =>
  (gradient: readonly number[]): number[] => {
    const factor = Math.min(1, norm / (Math.hypot(...gradient) + 1e-6));
    return gradient.map((g) => g * factor);
  };

export const trainingItems: readonly TrainingItem[] = [
  { name: "sgd", settings: ["optimizer sgd(0.1)"], rule: sgd(0.1) },
  { name: "momentum", settings: ["optimizer sgd(0.1, momentum = 0.9)"], rule: momentum(0.1, 0.9) },
  {
    name: "nesterov",
    settings: ["optimizer sgd(0.1, momentum = 0.75, nesterov = true)"],
    rule: momentum(0.1, 0.75, true),
  },
  { name: "adam", settings: ["optimizer adam(0.01)"], rule: adam(0.01) },
  {
    name: "adam_other",
    settings: ["optimizer adam(0.02, beta1 = 0.5, beta2 = 0.9, eps = 1e-3)"],
    rule: adam(0.02, { beta1: 0.5, beta2: 0.9, eps: 1e-3 }),
  },
  {
    // log(0) is not taken
    name: "adam_forgetful",
    settings: ["optimizer adam(0.01, beta1 = 0)"],
    rule: adam(0.01, { beta1: 0 }),
  },
  { name: "adamw", settings: ["optimizer adamw(0.01)"], rule: adam(0.01, { decay: 0.01 }) },
  {
    name: "adamw_strong",
    settings: ["optimizer adamw(0.1, decay = 0.5)"],
    rule: adam(0.1, { decay: 0.5 }),
  },
  { name: "rmsprop", settings: ["optimizer rmsprop(0.01)"], rule: rmsprop(0.01) },
  {
    name: "rmsprop_momentum",
    settings: ["optimizer rmsprop(0.01, alpha = 0.9, eps = 1e-4, momentum = 0.5)"],
    rule: rmsprop(0.01, 0.9, 1e-4, 0.5),
  },
  { name: "adagrad", settings: ["optimizer adagrad(0.1)"], rule: adagrad(0.1) },
  {
    name: "adagrad_other",
    settings: ["optimizer adagrad(0.1, eps = 1e-3, start = 0.5)"],
    rule: adagrad(0.1, 1e-3, 0.5),
  },
  { name: "adadelta", settings: ["optimizer adadelta()"], rule: adadelta() },
  {
    name: "adadelta_other",
    settings: ["optimizer adadelta(0.5, rho = 0.75, eps = 1e-4)"],
    rule: adadelta(0.5, 0.75, 1e-4),
  },
  { name: "nadam", settings: ["optimizer nadam(2e-3)"], rule: nadam(2e-3) },
  {
    name: "nadam_other",
    settings: ["optimizer nadam(0.02, beta1 = 0.5, beta2 = 0.9, eps = 1e-3, psi = 0.1)"],
    rule: nadam(0.02, { beta1: 0.5, beta2: 0.9, eps: 1e-3 }, 0.1),
  },
  { name: "lion", settings: ["optimizer lion(0.01)"], rule: lion(0.01) },
  {
    name: "lion_decay",
    settings: ["optimizer lion(0.01, beta1 = 0.5, beta2 = 0.75, decay = 0.25)"],
    rule: lion(0.01, 0.5, 0.75, 0.25),
  },
  { name: "lamb", settings: ["optimizer lamb(0.01)"], rule: lamb(), factor: trust(0.01) },
  {
    name: "lamb_other",
    settings: ["optimizer lamb(0.1, beta1 = 0.5, beta2 = 0.9, eps = 1e-3, decay = 0.25)"],
    rule: lamb({ beta1: 0.5, beta2: 0.9, eps: 1e-3, decay: 0.25 }),
    factor: trust(0.1),
  },
  {
    name: "l2",
    settings: ["optimizer sgd(0.1)", "penalty l2(0.05)"],
    rule: sgd(0.1),
    change: (g, w) => g.map((each, i) => each + 2 * 0.05 * w[i]!),
  },
  {
    // the weight that is 0 stays out of it
    name: "l1",
    settings: ["optimizer sgd(0.1)", "penalty l1(0.05)"],
    rule: sgd(0.1),
    change: (g, w) => g.map((each, i) => each + 0.05 * Math.sign(w[i]!)),
  },
  { name: "clip", settings: ["optimizer sgd(0.1)", "clip 0.5"], rule: sgd(0.1), change: clip(0.5) },
  { name: "clip_far", settings: ["optimizer sgd(0.1)", "clip 1000"], rule: sgd(0.1) },
  {
    name: "clip_adam",
    settings: ["optimizer adam(0.01)", "clip 0.25"],
    rule: adam(0.01),
    change: clip(0.25),
  },
];
