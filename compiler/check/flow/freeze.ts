/** Parts of a model that training leaves as they are: the lines `freeze` and `thaw`, and what they come to. */
import { report } from "../../../grammar/diagnostic.ts";
import { textOf } from "../../../grammar/source.ts";
import type { Span } from "../../../grammar/source.ts";
import { unknownName } from "../diagnostics/dlm0101-unknown-name.ts";
import type { Elaboration } from "../frame.ts";
import { nearest } from "../names.ts";
import type { Session } from "../session.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import type { FreezeRule } from "./plans.ts";
import type { CallSetting } from "./settings.ts";

/** Whether a weight or state at this path is kept. */
export function isFrozen(rules: readonly FreezeRule[], path: string, what: "weights" | "states"): boolean {
  const last = rules.findLast((rule) => covers(rule, path) && (what === "weights" || !rule.weightsOnly));
  return last?.kind === "freeze";
}

/** `freeze backbone.weights` */
export function ruleText({ kind, path, weightsOnly }: FreezeRule): string {
  return `${kind} ${path}${weightsOnly ? ".weights" : ""}`;
}

export function covers({ path: part }: Pick<FreezeRule, "path">, path: string): boolean {
  return path === part || path.startsWith(`${part}.`);
}

/** Phases of the parts of `model` in training: frozen ones are in inference. Undefined: all are in training. */
export function phasesOf(rules: readonly FreezeRule[], model: string): Elaboration["phaseAt"] {
  if (rules.length === 0) return undefined;
  return (of, path) => {
    if (of !== model) return undefined;
    const last = rules.findLast((rule) => covers(rule, path) && !rule.weightsOnly);
    return last && (last.kind === "freeze" ? "inference" : "training");
  };
}

/** The lines as rules; `paths` are those of the weights and states of `model`. Unknown ones are reported and left out. */
export function freezeRules(
  lines: readonly CallSetting[],
  model: string,
  paths: readonly string[],
  session: Session,
): readonly FreezeRule[] {
  const isKnown = (part: string): boolean => paths.some((path) => covers({ path: part }, path));
  const rules: FreezeRule[] = [];
  for (const line of lines) {
    for (const rule of rulesOf(line)) {
      if (rule.kind === "freeze" || thaws(rule, rules, paths)) rules.push(rule);
      else
        session.add(
          report(settingValue, {
            setting: "thaw",
            needs: "a part that an earlier line or stage froze",
            span: rule.span,
            found: `nothing of \`${rule.path}\` is frozen here`,
          }),
        );
    }
  }
  return rules;

  function rulesOf(line: CallSetting): FreezeRule[] {
    const kind = line.name.text === "thaw" ? "thaw" : "freeze";
    if (line.arguments.length === 0)
      session.add(
        report(settingValue, {
          setting: kind,
          needs: "the path of a part of the model",
          span: line.span,
          found: "nothing follows",
          signature: `${kind} backbone`,
        }),
      );
    return line.arguments.flatMap(({ value }): FreezeRule[] => {
      if (value.kind === "hole") return [];
      const path = textOf(value.span).replace(/\s|"/g, "");
      const rule = { kind, span: value.span } as const;
      if (isKnown(path)) return [{ ...rule, path, weightsOnly: false }];
      const part = path.replace(/\.weights$/, "");
      if (part !== path && isKnown(part)) return [{ ...rule, path: part, weightsOnly: true }];
      // a name is missing: the syntax error says so
      if (!path.split(".").includes("")) session.add(unknownPath(path, value.span, model, paths));
      return [];
    });
  }
}

/** Whether something of the part is frozen by the lines before. */
function thaws(part: FreezeRule, before: readonly FreezeRule[], paths: readonly string[]): boolean {
  return paths.some(
    (path) => covers(part, path) && (isFrozen(before, path, "weights") || isFrozen(before, path, "states")),
  );
}

/** Points at the first name that leads nowhere. */
function unknownPath(
  path: string,
  span: Span,
  model: string,
  paths: readonly string[],
): ReturnType<typeof report> {
  const names = path.split(".");
  let known = "";
  let at = 0;
  while (paths.some((each) => each.startsWith(`${known}${names[at]}.`))) known += `${names[at++]}.`;
  const below = new Set(
    paths.flatMap((each) => (each.startsWith(known) ? [each.slice(known.length).split(".")[0]!] : [])),
  );
  const name = names[at] ?? "";
  const found = textOf(span).indexOf(name, known.length);
  const start = span.start + Math.max(0, found);
  return report(unknownName, {
    span: found < 0 ? span : { ...span, start, end: start + name.length },
    name,
    what: "part",
    where: ` in ${known === "" ? model : known.slice(0, -1)}`,
    near: nearest(name, [...below]),
    notes: below.size === 0 ? [] : [`there are ${[...below].join(", ")}`],
  });
}
