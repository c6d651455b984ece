/** An `optimizer` on its own: over a vector of any length, with configuration that only its uses give. */
import type { OptimizerDeclaration } from "../../../grammar/ast.ts";
import { graphBuilder } from "../../ir/builder.ts";
import * as dim from "../../ir/dim.ts";
import { createElaboration, workflowFrame } from "../elaborate.ts";
import { evaluate } from "../evaluate.ts";
import type { Frame } from "../frame.ts";
import { isBroken } from "../names.ts";
import type { FileScope } from "../names.ts";
import { dimNumber } from "../numbers.ts";
import type { Session } from "../session.ts";
import { checkType, graphType } from "../type.ts";
import type { CheckType } from "../type.ts";
import type { CheckValue, TensorValue } from "../values.ts";
import { checkPromises } from "../where.ts";
import { runOptimizer } from "./optimizer.ts";

/** Runs its body once, so that mistakes are found where no block uses it. */
export function checkOptimizerAlone(
  session: Session,
  scope: FileScope,
  declaration: OptimizerDeclaration,
): void {
  if (isBroken(scope, declaration.span)) return;
  const { configuration, span } = declaration;
  // a graph has numbers, which are not known where a use has to give them
  const builder = configuration.every((parameter) => parameter.default) ? graphBuilder() : undefined;
  const elaboration = createElaboration(session, { phase: "training", builder, alone: true });
  const frame: Frame = { ...workflowFrame(elaboration, scope, "training"), open: false };
  for (const parameter of configuration) {
    const { text: name } = parameter.name;
    const origin = { kind: "written", span: parameter.span, name } as const;
    const value: CheckValue = parameter.default
      ? evaluate(frame, parameter.default)
      : { ...dimNumber(dim.symbol(name), origin), open: true };
    if (value.kind === "unknown") return;
    frame.locals.values.set(name, value);
  }
  if (!checkPromises(frame, declaration.where)) return;
  const tensor = (name: string, type: CheckType): TensorValue => ({
    kind: "tensor",
    type,
    value: builder?.input(name, "state", graphType(type)),
    span,
  });
  const origin = { kind: "written", span, name: undefined } as const;
  const vector = checkType("f32", [{ label: undefined, size: { dim: dim.symbol("w"), origin } }]);
  const inputs = {
    w: tensor("w", vector),
    g: tensor("g", vector),
    step: tensor("step", checkType("f32", [])),
    state: (name: string) => tensor(`optimizer.${name}`, vector),
    // only the shape counts here
    norms: <T>(_: unknown, x: T) => x,
    changeRate: undefined,
  };
  runOptimizer(frame, { kind: "optimizer", declaration, arguments: undefined, span }, inputs);
}
