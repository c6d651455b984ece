/** `generate` in `deploy`: its plan, and whether the model can be run step by step. */
import type { Expression } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import { textOf } from "../../../grammar/source.ts";
import type { Span } from "../../../grammar/source.ts";
import { graphBuilder } from "../../ir/builder.ts";
import * as dim from "../../ir/dim.ts";
import { elaborate } from "../elaborate.ts";
import type { Session } from "../session.ts";
import { graphType } from "../type.ts";
import type { CallableValue, TensorValue } from "../values.ts";
import { obstacles } from "./decodable.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import { notStepwise } from "./diagnostics/dlm0504-not-stepwise.ts";
import type { Generate, Sample } from "../../ir/model.ts";
import { named, number, unnamed } from "./settings.ts";
import type { CallSetting, FlowContext } from "./settings.ts";
import { stepBuild } from "./step.ts";

const signature = "generate text, max = 256, sample = top_k(40, temperature = 0.8)";

/** Undefined after a diagnostic. */
export function checkGenerate(
  session: Session,
  model: CallableValue,
  setting: CallSetting,
  context: FlowContext,
): Generate | undefined {
  const { declaration, scope } = model;
  const wrong = (needs: string, span: Span, found: string): undefined => {
    context.diagnose(report(settingValue, { setting: "generate", needs, span, found, signature }));
    return undefined;
  };
  const input = unnamed(setting)[0]?.value;
  const parameter = declaration.tensors.find(
    ({ name }) => input?.kind === "name" && name.text === input.text,
  );
  if (!input || !parameter) {
    const names = declaration.tensors.map(({ name }) => `\`${name.text}\``).join(", ");
    const found = input ? `${declaration.name.text} takes ${names}` : "nothing follows";
    return wrong("the input of tokens that it makes longer", input?.span ?? setting.name.span, found);
  }
  const most = named(setting, "max");
  const max = number("max", most?.value, { whole: true, least: 1 }, most?.span ?? setting.name.span, context);
  const given = named(setting, "sample");
  const sample = given ? sampleOf(given.value, context) : greedy;
  if (max === undefined || !sample) return undefined;

  // what is wrong with the model itself was said where it was checked
  if (session.alone.get(declaration) === "failed") return undefined;
  const before = session.errors();
  const builder = graphBuilder();
  const time = timeOf(session, model, parameter.name.text);
  if (!time)
    return wrong("an input of tokens in sequences of any length", input.span, "this is no int<N>[B, T]");
  const step = stepBuild(builder, time, dim.symbol("positions"));
  const { result, inputs, elaboration } = elaborate(session, scope, declaration, {
    phase: "inference",
    builder,
    step,
    weights: { get: ({ path, type }) => builder.input(path, "weight", graphType(type)) },
    states: { get: ({ path, type }) => builder.input(path, "state", graphType(type)), set: () => {} },
  });
  if (session.errors() > before || result.kind === "unknown") return undefined;
  const tokens = inputs.get(parameter.name.text) as TensorValue;
  const bound = tokens.type.bound!;
  const scores = result.kind === "tensor" ? result.type.axes : [];
  const fits =
    scores.length === 3 &&
    elaboration.solver.equal(scores[1]!.size.dim, time).kind === "proved" &&
    elaboration.solver.equal(scores[2]!.size.dim, bound.dim).kind === "proved";
  if (!fits)
    return wrong(
      "a model that gives the scores of the next token at each position",
      declaration.result.span,
      `this is not [B, T, ${elaboration.solver.show(bound.dim)}]`,
    );
  for (const { most: limit, span } of step.limits) {
    const least = dim.constantOf(limit);
    if (least !== undefined && least < max)
      return wrong(
        `no more positions than the model has room for`,
        most!.value.span,
        `\`${textOf(span)}\` has room for ${least}`,
      );
  }
  const found = obstacles(builder.nodes, step);
  const [first] = found;
  if (first) {
    const at = step.spans.get(first.node) ?? declaration.name.span;
    const places = new Set(found.map(({ node }) => step.spans.get(node)));
    context.diagnose(
      report(notStepwise, {
        model: declaration.name.text,
        span: setting.name.span,
        at,
        unmasked: first.along === "kept",
        only: places.size === 1,
      }),
    );
    return undefined;
  }
  return { input: parameter.name.text, max, sample };
}

/** The size of the positions of an input int<N>[B, T]; undefined where it is none. */
export function timeOf(
  session: Session,
  { declaration, scope }: CallableValue,
  name: string,
): dim.Dim | undefined {
  const { inputs } = elaborate(session, scope, declaration, { phase: "inference", inputsOnly: true });
  const value = inputs.get(name);
  if (value?.kind !== "tensor" || value.type.element !== "int" || value.type.axes.length !== 2)
    return undefined;
  const time = value.type.axes[1]!.size.dim;
  return dim.symbolsOf(time).size === 1 && dim.equal(time, dim.symbol([...dim.symbolsOf(time)][0]!))
    ? time
    : undefined;
}

const greedy: Sample = { kind: "greedy" };

/** `greedy`, `temperature(t)`, `top_k(k, temperature = t)`, `top_p(p, temperature = t)`. */
function sampleOf(expression: Expression, context: FlowContext): Sample | undefined {
  const wrong = (span: Span, found: string): undefined => {
    context.diagnose(
      report(settingValue, {
        setting: "sample",
        needs: "`greedy`, `temperature(t)`, `top_k(k, temperature = t)` or `top_p(p, temperature = t)`",
        span,
        found,
      }),
    );
    return undefined;
  };
  if (expression.kind === "hole") return undefined;
  if (expression.kind === "name" && expression.text === "greedy") return greedy;
  if (expression.kind !== "call" || expression.callee.kind !== "name")
    return wrong(expression.span, `this is \`${textOf(expression.span)}\``);
  const { text: kind, span } = expression.callee;
  if (kind !== "temperature" && kind !== "top_k" && kind !== "top_p")
    return wrong(span, `this is \`${kind}\``);
  const [first, ...rest] = expression.arguments;
  const second = rest.find(({ name }) => name === undefined || name.text === "temperature");
  const strange = rest.find((each) => each !== second || kind === "temperature");
  if (strange) return wrong(strange.span, "this argument is not taken");
  const range =
    kind === "temperature"
      ? { above: 0 }
      : kind === "top_k"
        ? { whole: true as const, least: 1 }
        : { above: 0, most: 1 };
  const value = number(kind, first?.value, range, span, context);
  const temperature = second ? number("temperature", second.value, { above: 0 }, span, context) : 1;
  if (value === undefined || temperature === undefined) return undefined;
  if (kind === "temperature") return { kind, temperature: value };
  return kind === "top_k" ? { kind, k: value, temperature } : { kind, p: value, temperature };
}
