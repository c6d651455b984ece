/** The two statements of what an op means, `element` and `evaluate`, against each other. */
import { describe, expect, test } from "vitest";
import { graphBuilder } from "../compiler/ir/builder.ts";
import { tensorAttribute } from "../compiler/ir/attribute.ts";
import { tensorType } from "../compiler/ir/type.ts";
import { ops } from "../compiler/ops/index.ts";
import { evaluate } from "../compiler/reference/evaluate.ts";
import { difference } from "./support/graphs.ts";
import { elementsOf } from "./support/element.ts";
import { seedOfRun } from "./support/random.ts";
import { randomProgram } from "./support/random-program.ts";
import { loopOf } from "../compiler/ir/loop.ts";
import type { Node } from "../compiler/ir/graph.ts";

const first = seedOfRun();

/** Tables have no scalar code: lowering makes buffers of them. */
function isTable(node: Node): boolean {
  return node.op.name === "constant" && tensorAttribute(node.attributes, "value").data.length !== 1;
}

/** Neither has a loop: it is steps of a program. */
const hasElement = (node: Node): boolean => !isTable(node) && !loopOf(node);

describe("element gives what evaluate gives", () => {
  for (const op of ops) {
    test(op.name, () => {
      for (const { operands, attributes, results } of op.examples) {
        const b = graphBuilder();
        const inputs = operands.map((each, i) =>
          b.input(`x${i}`, "input", tensorType(each.dtype, each.shape)),
        );
        const node = b.node(op, inputs, attributes)[0]!.source as Node;
        if (!hasElement(node)) continue;
        const found = elementsOf(node, operands, new Map());
        results.forEach((expected, i) => expect(difference(found[i]!, expected, 1e-15)).toBeUndefined());
      }
    });
  }

  test(`in random programs from seed ${first}`, () => {
    const seen = new Map(ops.map((op) => [op.name, 0]));
    for (let seed = first; seed < first + 150; seed++) {
      const { graph, inputs, sizes } = randomProgram(seed, { gradient: true });
      const { values } = evaluate(graph, inputs, sizes, { keep: true });
      for (const node of graph.nodes) {
        const expected = node.results.map((result) => values!.get(result)!);
        if (!hasElement(node) || expected[0]!.data.length > 100) continue;
        seen.set(node.op.name, seen.get(node.op.name)! + 1);
        const found = elementsOf(
          node,
          node.operands.map((operand) => values!.get(operand)!),
          sizes,
        );
        expected.forEach((value, i) => {
          const { dtype } = value;
          // sums of many terms are added in the same order, but a guarded 0 may change the sign of a zero
          const close = found[i]!.data.every(
            (x, at) => Math.abs(x - value.data[at]!) <= 1e-12 * (1 + Math.abs(x)),
          );
          expect(close && found[i]!.dtype === dtype, `SEED=${seed}: ${node.op.name}`).toBe(true);
        });
      }
    }
    expect([...seen].filter(([name, count]) => count === 0 && name !== "loop")).toEqual([]);
  });
});
