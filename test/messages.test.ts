/** Programs that go wrong in the ways people do: one cause is one message, its fix mends, and it is printed as expected. */
import { describe, expect, test } from "vitest";
import { renderAll } from "../grammar/render.ts";
import { checkText } from "./support/check-text.ts";
import { expectGolden } from "./support/golden.ts";
import { mended } from "./support/mended.ts";

const prices = `dlm 1

data Houses from csv("houses.csv") {
  input  rooms, age : number
  target price : number

  split  train = 80%, valid = 10%, test = 10%
}

model Price(house: Houses) -> [B] {
  house.numbers -> Standardize -> Dense(8) -> relu -> Dense(1) -> squeeze
}

train Price on Houses {
  loss      mse(out, price)
  optimizer adam(1e-3)
  batch     32
  epochs    10
  keep      best, by = valid.loss
}

evaluate Price on Houses.test {
  metrics mae, rmse
  require mae <= 3
}
`;

const kinds = `dlm 1

data Flowers from csv("flowers.csv") {
  input  a, b : number
  target kind : category("x", "y")

  split  train = 80%, valid = 10%, test = 10%
}

model Kind(flower: Flowers) -> [B, Class=2] {
  flower.numbers -> Standardize -> Dense(8) -> relu -> Dense(2)
}

train Kind on Flowers {
  loss      cross_entropy(out, kind)
  optimizer adam(1e-3)
  keep      best, by = valid.accuracy
}
`;

const pictures = `dlm 1

data Pictures from idx("pictures/") {
  input  image : u8[H=8, W=8, C=1]
  target label : category("a", "b")
}

model M(image: [B, H=8, W=8, C=1]) -> [B, Class=2] {
  image -> flatten -> Dense(2)
}

train M on Pictures {
  loss      cross_entropy(out, label)
  optimizer adam(1e-3)
}
`;

function replaced(text: string, ...pairs: readonly (readonly [string, string])[]): string {
  return pairs.reduce((now, [from, to]) => {
    if (!now.includes(from)) throw new Error(`the program has no ${from}`);
    return now.replace(from, to);
  }, text);
}

const model = (body: string, before = ""): string =>
  `dlm 1\n\n${before}model M(x: [B, D=8]) -> _ {\n  ${body}\n}\n`;

const price = (...pairs: readonly (readonly [string, string])[]): string => replaced(prices, ...pairs);
const kind = (...pairs: readonly (readonly [string, string])[]): string => replaced(kinds, ...pairs);

const pictured = (stage: string): string =>
  `dlm 1\n\nmodel M(x: [B, H=8, W=8, C=4]) -> _ {\n  x -> ${stage}\n}\n`;

const tokens = (stage: string): string =>
  `dlm 1\n\nmodel M(x: [B, T=6, D=8], y: [B, S=5, E=6]) -> _ {\n  x -> ${stage}\n}\n`;

const signs = `optimizer signs(rate, band = 0) where 0 <= band, band < 1 {
  w <- w - rate * select(g > band, 1, 0)
}

`;

const normalise = "module Norm(m)(x: [B, D]) -> [B, D] {\n  x -> BatchNorm(m)\n}\n\n";

const slips: readonly (readonly [why: string, text: string])[] = [
  ["a colon behind a setting", price(["batch     32", "batch: 32"])],
  ["a colon before what could be a type", price(["loss      mse", "loss: mse"])],
  ["a colon before a list", price(["metrics mae", "metrics: mae"])],
  ["a colon before named arguments", price(["split  train", "split: train"])],
  ["a colon for the = of an argument", price(["by = valid.loss", "by: valid.loss"])],
  ["an unknown setting with a colon", price(["batch     32", "learning_rate: 0.001"])],
  ["a = for the colon of a column", price(["age : number", "age = number"])],
  ["columns without a type", price(["age : number", "age"])],
  [
    "a module in lower case, used twice",
    model("x -> block -> block", "module block(x: [.., D]) -> [.., D] {\n  x -> Dense(D)\n}\n\n"),
  ],
  ["an input of the wrong size", price(["house: Houses", "rooms: [B, F=2]"], ["house.numbers", "rooms"])],
  ["an input that is no column", price(["house: Houses", "home: [B, F=2]"], ["house.numbers", "home"])],
  ["data that there is not", price(["house: Houses", "house: Hauses"])],
  ["bytes for floats", pictures],
  [
    "floats for bytes",
    replaced(
      pictures,
      ["image : u8[", "image : f32["],
      ["image: [B", "image: u8[B"],
      ["image ->", "image -> scale(1/255) ->"],
    ),
  ],
  ["a metric of classes for numbers", price(["valid.loss", "valid.accuracy"])],
  ["a metric of numbers for classes", kind(["valid.accuracy", "valid.rmse"])],
  ["a loss of numbers for classes", kind(["cross_entropy(", "mse("])],
  ["a loss of classes for numbers", price(["mse(", "cross_entropy("])],
  ["a loss the wrong way round", kind(["(out, kind)", "(kind, out)"])],
  ["no loss, the target is a number", price(["  loss      mse(out, price)\n", ""])],
  ["no loss, the target is a category", kind(["  loss      cross_entropy(out, kind)\n", ""])],
  ["floats of data that are embedded", kind(["-> Standardize", "-> Embed(4)"])],
  ["the features of BatchNorm in other frameworks", model("x -> BatchNorm(24)")],
  ["the same through a module", model("x -> Norm(24)", normalise)],
  ["a normalisation with the features", model("x -> LayerNorm(8)")],
  ["a negative threshold", price(["mse(out, price)", "huber(out, price, delta = -1)"])],
  ["a negative rate in a schedule", price(["adam(1e-3)", "adam(cosine(-1e-3, total = 12 * epoch))"])],
  ["a class between two classes", kind(["kind)", "kind, ignore = 0.5)"])],
  ["an axis that holds nothing", model("x -> expand(Width)", "let Width = 0\n\n")],
  [
    "an input that holds nothing",
    "dlm 1\n\nlet Width = 0\n\nmodel M(x: [B, H=Width]) -> _ {\n  x -> Dense(4)\n}\n",
  ],
  ["repeat without a count", model("x -> repeat { Dense(8) -> relu }")],
  ["for without brackets", model("x -> for c in 16, 24 { Dense(c) -> relu }")],
  ["for with =", model("x -> for c = [16, 24] { Dense(c) -> relu }")],
  ["for without a name", model("x -> for [16, 24] { Dense(8) -> relu }")],
  ["a misspelt metric", price(["rmse", "rmsee"])],
  ["a misspelt metric that is required", price(["require mae", "require mea"])],
  ["a misspelt split", price(["valid.loss", "val.loss"])],
  ["a measured value with a line", price(["valid.loss", "val_loss"])],
  ["a measured value without its split", kind(["valid.accuracy", "acuracy"])],
  ["an axis without a label", model("x -> Dense(4) -> softmax over Class")],
  ["branches that are not joined", model("x -> branch {\n    Dense(4)\n    Dense(3)\n  } -> relu")],
  ["a name that is like no other", model("x -> price")],
  ["a layer of another framework", model("x -> Linear(8)")],
  ["a parameter of another framework", model("x -> Dense(units = 8)")],
  ["an activation as an argument", model("x -> Dense(8, activation = relu)")],
  ["more classes than the labels have", kind(["Class=2", "Class=3"], ["-> Dense(2)", "-> Dense(3)"])],
  ["a body that only binds", "dlm 1\n\nmodel M(x: [B, D=8]) -> [B, D] {\n  y = x\n}\n"],
  ["a body with nothing in it", "dlm 1\n\nmodel M(x: [B, D=8]) -> [B, D] {\n}\n"],
  [
    "an if without else as the result",
    "dlm 1\n\nmodel M(x: [B, D=8]) -> [B, D] {\n  if training {\n    x * 2\n  }\n}\n",
  ],
  ["half precision in a signature", "dlm 1\n\nmodel M(x: f16[B, D=8]) -> [B, D] {\n  x * 2\n}\n"],
  [
    "a result that is indexed by one name twice",
    "dlm 1\n\nop bad(a: [B, I]) -> [B, I] {\n  y[b, b] += a[b, i]\n}\n",
  ],
  ["an argument that is named twice", model("x -> Dense(Out = 8, Out = 4)")],
  ["two parameters of one name", model("x", "module N(a = 1, a = 2)(x: [B, D]) -> [B, D] {\n  x * a\n}\n\n")],
  ["two modules of one name", model("x -> M", "module M(x: [B, D]) -> [B, D] {\n  x\n}\n\n")],
  [
    "a promise that its own sizes break",
    "dlm 1\n\nmodel M(x: [B, D=8]) -> [B, D]\n  where 3 divides D\n{\n  x\n}\n",
  ],
  [
    "promises that exclude each other",
    "dlm 1\n\nmodel M(x: [B, T, D=8]) -> [B, T, D]\n  where T <= 3, 5 <= T\n{\n  x\n}\n",
  ],
  ["two sizes of a batch", price(["batch     32", "batch     32, 64"])],
  ["two optimizers", price(["adam(1e-3)", "adam(1e-3), sgd(0.1)"])],
  ["a dilation of 0", pictured("Conv(8, 3, dilation = 0)")],
  ["no groups", pictured("Conv(8, 3, groups = 0)")],
  ["a stride of 0 in a pooling", pictured("maxpool(2, stride = 0)")],
  ["a chance above 1", model("x -> dropout(1.5)")],
  ["a chance of a `let`", model("x -> dropout(part)", "let part = 1.5\n\n")],
  ["a size that is no whole number", pictured("Conv(8.5, 3)")],
  ["a negative size", model("x -> Dense(-3)")],
  ["a negative rate", price(["adam(1e-3)", "adam(-1)"])],
  ["a part of more than 1", price(["adam(1e-3)", "adam(1e-3, beta1 = 2)"])],
  ["nesterov without momentum", price(["adam(1e-3)", "sgd(0.1, nesterov = true)"])],
  [
    "an own optimizer out of its range",
    price(["train Price", `${signs}train Price`], ["adam(1e-3)", "signs(0.1, band = 2)"]),
  ],
  ["causal without a length", tokens("MultiHeadAttention(2, causal = true)")],
  ["no epochs", price(["epochs    10", "epochs 0"])],
  ["no steps", price(["epochs    10", "steps 0"])],
  ["no epochs of a stage", price(["epochs    10", "stage head { epochs 0 }"])],
  ["an empty batch", price(["batch     32", "batch 0"])],
  ["thaw of what was never frozen", price(["epochs    10", "epochs 10\n  thaw dense0"])],
  ["no passes", model("x -> repeat 0 { Dense(8) }")],
  ["a place and a name for one parameter", model("x -> Dense(8, Out = 4)")],
  ["a text for a size", model('x -> Dense("a")')],
  ["a function for a size", model("x -> Dense(relu)")],
  ["a number for an activation", tokens("FeedForward(16, act = 3)")],
  ["true for a rate", price(["adam(1e-3)", "adam(true)"])],
  ["tensors of a module without an arrow", tokens("relu\n  CrossAttention(2)(y, x)")],
  ["one tensor of two", tokens("CrossAttention(2)")],
  ["shuffle on", price(["epochs    10", "shuffle on"])],
  ["overfit two words", price(["evaluate Price", "check Price {\n  overfit one row\n}\n\nevaluate Price"])],
  ["a product without its sign", model("x -> Dense(2 D)")],
  ["a pipe of another language", model("x |> Dense(4) |> relu")],
  ["arrows of a text", model("x → Dense(4) → relu")],
  ["a call that is not closed", model("x -> Dense(4 -> relu -> Dense(3)")],
  [
    "a module that reads a let twice",
    model(
      "x -> N",
      "let Width = 3\n\nmodule N(x: [B, D]) -> [B, Width] {\n  x -> Dense(Width) -> relu -> Dense(Width)\n}\n\n",
    ),
  ],
  [
    "a division of a size in three places",
    model(
      "x -> Half",
      "module Half(x: [B, D]) -> [B, D / 2] {\n  (x -> Dense(D / 2)) + (x -> Dense(D / 2))\n}\n\n",
    ),
  ],
  ["yield outside of a scan", model("yield x")],
  ["an op that is no sum", "dlm 1\n\nop bad(a: [B, I]) -> [B, I] {\n  a * 2\n}\n"],
  ["an op that calls a function", "dlm 1\n\nop bad(a: [B, I]) -> [B] {\n  y[b] += relu(a[b, i])\n}\n"],
  ["an op of two lines", "dlm 1\n\nop bad(a: [B, I]) -> [B] {\n  y[b] += a[b, i]\n  z[b] += a[b, i]\n}\n"],
  ["an op with nothing in it", "dlm 1\n\nop bad(a: [B, I]) -> [B] {\n}\n"],
  ["an op with =", "dlm 1\n\nop bad(a: [B, I]) -> [B] {\n  y[b] = a[b, i]\n}\n"],
  ["an update of a weight", model("weight w : [D] = 1\n  w <- w * 2\n  x * w")],
  ["several results into a layer", model("r = (a = x, b = x)\n  r -> Dense(4)")],
  ["a model for data", price(["on Houses {", "on Price {"])],
  ["an axis that there is not", tokens("mean over Time")],
  ["logarithms for a loss of logits", model("bce(x -> log_softmax over D, 1)")],
  ["a mask of floats", tokens("MultiHeadAttention(2)(_, mask = mean(x) over D)")],
  ["a mask that lets nothing through", tokens("MultiHeadAttention(2)(_, false)")],
  [
    "batch statistics in a scan",
    tokens("scan x over T with h = zeros[B, D] {\n    h = x + h -> BatchNorm\n    yield h\n  }").replace(
      "x -> scan",
      "scan",
    ),
  ],
  ["a promise that is none", "dlm 1\n\nmodel M(x: [B, T]) -> [B, T]\n  where T\n{\n  x\n}\n"],
];

describe("one cause, one message", () => {
  test.each(slips)("%s", (_, text) => {
    const { diagnostics } = checkText(text);
    expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).toHaveLength(1);
  });

  test.each(slips)("%s: its fix mends, or leads on", (why, text) => {
    const [first] = checkText(text).diagnostics;
    const next = mended(text, first);
    if (next === undefined) return;
    const left = checkText(next).diagnostics.map(({ code }) => code);
    // a setting that there is not is told once its line can be read
    expect(left).toEqual(why === "an unknown setting with a colon" ? ["DLM0104"] : []);
  });

  test("they are printed as expected", () => {
    const pages = slips.map(
      ([why, text]) => `## ${why}\n${renderAll(checkText(text).diagnostics, { color: false, width: 100 })}`,
    );
    expectGolden("check/slips.txt", pages.join("\n"));
  });
});

describe("what is right stays so", () => {
  test.each([
    ["prices", prices],
    ["kinds", kinds],
    ["a number that only the caller knows", model("x -> Norm(0.5)", normalise)],
    ["a length in epochs", price(["adam(1e-3)", "adam(cosine(1e-3, total = 12 * epoch))"])],
    ["a class to ignore", kind(["kind)", "kind, ignore = 1)"])],
    ["tensors behind the configuration", tokens("CrossAttention(2)(_, y)")],
    ["the arrow gives the first tensor", tokens("CrossAttention(2)(y)")],
    ["softmax of logarithms", kind(["-> Dense(2)", "-> Dense(2) -> log_softmax over last"])],
    ["a range without parentheses", model("x -> for i in 1..3 { Dense(8 * i) }")],
    [
      "overfit in words",
      price([
        "evaluate Price",
        "check Price {\n  overfit one batch\n}\n\ncheck Price {\n  overfit one batch, steps = 9\n}\n\nevaluate Price",
      ]),
    ],
    [
      "what a configuration repeats may be none",
      model("x -> N", `module N(n = 0)(x: [B, D]) -> [B, D] {\n  x -> repeat n { Dense(D) }\n}\n\n`),
    ],
    ["a part of what is frozen", price(["epochs    10", "epochs 10\n  freeze dense0\n  thaw dense0.kernel"])],
  ])("%s", (_, text) => expect(renderAll(checkText(text).diagnostics)).toBe(""));
});
