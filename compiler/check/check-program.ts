/** A whole program: its declarations and, with what is known of its data, its workflow blocks. No I/O. */
import type { Diagnostic } from "../../grammar/diagnostic.ts";
import type { Source } from "../../grammar/source.ts";
import { check, modelsOf } from "./check.ts";
import { noFacts, type Facts } from "./flow/facts.ts";
import { createFlow, type CheckedFlow } from "./flow/flow.ts";
import type { FileScope } from "./names.ts";
import type { Session } from "./session.ts";
import type { CallableValue } from "./values.ts";

export interface CheckedProgram {
  readonly session: Session;
  /** the file that was asked for; undefined where it cannot be read */
  readonly scope: FileScope | undefined;
  /** in the order of files and places */
  readonly diagnostics: readonly Diagnostic[];
  /** the blocks of that file */
  readonly flow: CheckedFlow;
  /** its models, in their order */
  readonly models: readonly CallableValue[];
}

const nothing: CheckedFlow = {
  plans: { data: [], train: [], evaluate: [], deploy: [] },
  trains: [],
  checks: [],
};

export function checkProgram(options: {
  readonly path: string;
  /** the source of a path, as `use` resolves it */
  read(path: string): Source | undefined;
  /** the path of the file that a package offers to the file `from`; undefined where there is none */
  packageFile?(name: string, from: string): string | undefined;
  readonly facts?: Facts | undefined;
}): CheckedProgram {
  const flow = createFlow(options.facts ?? noFacts);
  const checked = check({
    path: options.path,
    read: (path) => options.read(path),
    packageFile: (name, from) => options.packageFile?.(name, from),
    hooks: flow.hooks,
  });
  const { scope } = checked;
  const models = (scope ? modelsOf(scope) : []).map((declaration): CallableValue => ({
    kind: "callable",
    declaration,
    scope: scope!,
    configuration: undefined,
    tensors: [],
    span: declaration.name.span,
    over: undefined,
  }));
  return { ...checked, flow: scope ? flow.of(scope) : nothing, models };
}
