/** What a `check` block looks at: a model, module or function with all that it reads as inputs, forward and with gradients. */
import { elaborateSubject } from "../check/flow/subject.ts";
import type { Subject } from "../check/flow/subject.ts";
import type { Phase } from "../check/frame.ts";
import type { Session } from "../check/session.ts";
import type { CallableValue } from "../check/values.ts";
import type { GraphBuilder } from "../ir/builder.ts";
import type { Graph, GraphInput } from "../ir/graph.ts";
import * as build from "../ops/build.ts";
import { deadCode } from "../passes/dead-code.ts";
import { differentiate } from "../passes/differentiate.ts";
import { outputsOf } from "./train.ts";

/** Weights and states are inputs of their own, by path; their sizes are dims where the declaration leaves them open. */
export interface CheckGraphs {
  /** outputs `out` or `out.NAME`, and `PATH after` for what a state becomes */
  readonly forward: Graph;
  /**
   * outputs `loss`, the sum of all float outputs times `cotangent of NAME`, and `gradient of NAME` for every float input
   * and weight that it depends on; undefined where there is none
   */
  readonly gradient: Graph | undefined;
}

/** Undefined where the declaration has no graph by itself. */
export function checkGraphs(
  session: Session,
  callable: CallableValue,
  phase: Phase,
): CheckGraphs | undefined {
  const { builder, result, updates } = elaborateSubject(session, callable, phase);
  const outputs = outputsOf(result);
  if (outputs.length === 0) return undefined;
  const after = [...updates].map(([path, value]) => ({ name: `${path} after`, value }));
  return {
    forward: finish(builder, "forward", [...outputs, ...after]),
    gradient: withGradient(elaborateSubject(session, callable, phase)),
  };
}

function withGradient({ builder: b, result }: Subject): Graph | undefined {
  const wanted = b.inputs.filter(
    ({ type, source }) => type.dtype === "f32" && ["input", "weight"].includes((source as GraphInput).role),
  );
  const terms = outputsOf(result)
    .filter(({ value }) => value.type.dtype === "f32")
    .map(({ name, value }) => {
      const cotangent = b.input(`cotangent of ${name}`, "input", value.type);
      const axes = value.type.shape.map((_, axis) => axis);
      return build.reduceSum(b, build.mul(b, value, cotangent), axes);
    });
  if (terms.length === 0) return undefined;
  const loss = terms.reduce((sum, term) => build.add(b, sum, term));
  const found = differentiate(b, loss, wanted);
  const gradients = wanted.flatMap((input, i) =>
    found[i] ? [{ name: `gradient of ${(input.source as GraphInput).name}`, value: found[i] }] : [],
  );
  if (gradients.length === 0) return undefined;
  return finish(b, "gradient", [{ name: "loss", value: loss }, ...gradients]);
}

function finish(builder: GraphBuilder, name: string, outputs: Graph["outputs"]): Graph {
  return deadCode.run(builder.finish({ name, outputs, writes: [] }));
}
