/** Runs the `check` blocks of a program, line by line. */
import type { Phase } from "../../compiler/check/frame.ts";
import type { Span } from "../../grammar/source.ts";
import { mustBeSound, openProgram, openWithData, type Program, type ProgramWithData } from "../program.ts";
import { checkGolden } from "./golden.ts";
import { checkGradients } from "./gradient.ts";
import { checkOverfit } from "./overfit.ts";
import type { CheckResult } from "./result.ts";
import { checkSame } from "./same.ts";
import { subjectOf, type Subject } from "./subject.ts";

export interface Line extends CheckResult {
  /** what the block is about */
  readonly of: string;
  readonly check: "gradient" | "same" | "overfit" | "golden";
  readonly span: Span;
}

/** Data is read only where a model is trained. Errors: ProgramFailure, Failure, DataError. */
export function openChecks(path: string): Program | ProgramWithData {
  const program = openProgram(path);
  mustBeSound(program);
  const keys = program.checked.flow.checks.flatMap(({ plan, train }) =>
    plan.overfit && train ? [train.plan.data] : [],
  );
  return keys.length > 0 ? openWithData(path, { only: () => keys }) : program;
}

/** `started` is told of each line before it runs. */
export async function* runChecks(
  program: Program | ProgramWithData,
  options: { readonly record: boolean; readonly started: (what: string) => void },
): AsyncGenerator<Line> {
  const { session, flow } = program.checked;
  for (const check of flow.checks) {
    const { plan, train } = check;
    const subjects = new Map<Phase, Subject>();
    const subject = (phase: Phase): Subject => {
      const known = subjects.get(phase) ?? subjectOf(session, check, phase);
      subjects.set(phase, known);
      return known;
    };
    const lines = [
      plan.gradient &&
        ([
          "gradient",
          plan.gradient.span,
          () => checkGradients(subject("training"), plan.gradient!),
        ] as const),
      plan.same && (["same", plan.same.span, () => checkSame(subject("training"), plan.same!)] as const),
      plan.overfit && train && "datasets" in program
        ? (["overfit", plan.overfit.span, () => checkOverfit(program, train, plan.overfit!)] as const)
        : undefined,
      plan.golden &&
        ([
          "golden",
          plan.golden.span,
          () => checkGolden(subject("inference"), plan.golden!, options.record),
        ] as const),
    ];
    for (const line of lines) {
      if (!line) continue;
      const [name, span, run] = line;
      options.started(`${name} of ${plan.name}`);
      yield { of: plan.name, check: name, span, ...(await run()) };
    }
  }
}
