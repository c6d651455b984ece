/** Names of a file, and of the parameters of one declaration, that are given twice. */
import type { Name } from "../../grammar/ast.ts";
import { nameTaken } from "./diagnostics/dlm0105-name-taken.ts";
import type { FileScope } from "./names.ts";
import { isWorkflow } from "./names.ts";
import type { Session } from "./session.ts";

export function checkTakenNames(session: Session, scope: FileScope): void {
  const declarations = scope.file.declarations.flatMap((each) =>
    each.kind === "use" || isWorkflow(each) ? [] : [each],
  );
  checkOnce(
    session,
    declarations.map(({ name }) => name),
  );
  for (const each of declarations) {
    if (!("configuration" in each)) continue;
    const tensors = "tensors" in each ? each.tensors : [];
    checkOnce(
      session,
      [...each.configuration, ...tensors].map(({ name }) => name),
    );
  }
}

function checkOnce(session: Session, names: readonly Name[]): void {
  const first = new Map<string, Name>();
  for (const name of names) {
    const before = first.get(name.text);
    if (name.text === "") continue;
    if (before === undefined) first.set(name.text, name);
    else
      session.report(undefined, nameTaken, {
        span: name.span,
        name: name.text,
        first: before.span,
        path: undefined,
      });
  }
}
