/** The library's public entry: from text to a running model in one process, without a file. */
import { expect, test } from "vitest";
import { checkProgram, compileModel, load, modelGraphs, parse, render, version } from "../src/index.ts";

const text = `dlm 1

model Line(x: [B, In=3]) -> [B, Out=2] {
  x -> Dense(2) -> relu
}
`;

const read = (path: string) => (path === "line.dlm" ? { path, text } : undefined);

test("text to artifact to numbers", async () => {
  expect(parse({ path: "line.dlm", text }).diagnostics).toEqual([]);
  const checked = checkProgram({ path: "line.dlm", read });
  expect(checked.diagnostics.map((each) => render(each))).toEqual([]);
  const graphs = modelGraphs({
    session: checked.session,
    scope: checked.scope!,
    model: checked.models[0]!,
    train: undefined,
    data: [],
    entries: ["init", "infer"],
  });
  const { strict } = await compileModel(graphs, { version, relaxed: false });
  const model = await load(strict!.artifact!, { seed: 3 });
  expect([...model.weights().keys()].sort()).toEqual(["dense0.kernel", "dense0.shift"]);
  model.setWeights(
    new Map([
      ["dense0.kernel", [1, 4, 2, 5, 3, 6]],
      ["dense0.shift", [0.5, -100]],
    ]),
  );
  expect(await model.run({ x: [[1, 1, 1], [0, 0, 2]] })).toEqual({ out: Float32Array.of(6.5, 0, 6.5, 0) }); // prettier-ignore
});

test("a mistake is a diagnostic", () => {
  const broken = text.replace("Dense(2)", "Dence(2)");
  const { diagnostics } = checkProgram({ path: "x.dlm", read: (path) => ({ path, text: broken }) });
  expect(diagnostics.map(({ severity, code }) => `${severity} ${code}`)).toEqual(["error DLM0101"]);
});
