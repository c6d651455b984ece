/** `golden`: results on repeatable random numbers against those of a file. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { CheckPlan } from "../../compiler/check/flow/plans.ts";
import { evaluate } from "../../compiler/reference/evaluate.ts";
import { DataError } from "../data/error.ts";
import { readText, shownPath, writeFileAtomic } from "../files.ts";
import { furthest, type CheckResult } from "./result.ts";
import type { Subject } from "./subject.ts";

const format = "dlmc golden 1";

/** As the file has them: shapes, and numbers with nine digits. */
interface Recorded {
  readonly format: typeof format;
  readonly outputs: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly data: readonly number[] }>
  >;
}

/** `record`: writes the file anew instead. */
export function checkGolden(
  { forward }: Subject,
  { file, within, span }: CheckPlan["golden"] & {},
  record: boolean,
): CheckResult {
  const path = join(dirname(span.source.path), file);
  const { outputs } = evaluate(forward.graph, forward.inputs, new Map());
  if (record) {
    const entries = [...outputs].map(([name, { shape, data }]) => [
      name,
      { shape, data: Array.from(data, (value) => Number(value.toPrecision(9))) },
    ]);
    const recorded = { format, outputs: Object.fromEntries(entries) as Recorded["outputs"] };
    writeFileAtomic(path, `${JSON.stringify(recorded)}\n`);
    return { ok: true, error: 0, within, text: `recorded in ${shownPath(path)}` };
  }
  if (!existsSync(path))
    return {
      ok: false,
      error: Infinity,
      within,
      text: `there is no ${shownPath(path)}`,
      help: "dlmc check --run --record writes it with the results of today",
    };
  const expected = readRecorded(path);
  const numbers = new Map([...outputs].map(([name, { data }]) => [name, data]));
  const recorded = new Map(Object.entries(expected.outputs).map(([name, { data }]) => [name, data]));
  const { name, error } = furthest(numbers, recorded);
  const ok = error <= within;
  return {
    ok,
    error,
    within,
    text: ok
      ? `${recorded.size} tensor${recorded.size === 1 ? "" : "s"} as in ${shownPath(path)}, off by a part of ${error.toExponential(1)} at most`
      : `${name} is off by a part of ${error.toExponential(1)} of its largest number in ${shownPath(path)}, ${within} is allowed`,
  };
}

function readRecorded(path: string): Recorded {
  let value: unknown;
  try {
    value = JSON.parse(readText(path));
  } catch {
    throw new DataError("this is no JSON", { file: shownPath(path) });
  }
  if (!isRecorded(value))
    throw new DataError("this holds no recorded results of `dlmc check`", { file: shownPath(path) });
  return value;
}

function isRecorded(value: unknown): value is Recorded {
  if (typeof value !== "object" || value === null) return false;
  const { format: found, outputs } = value as Partial<Record<keyof Recorded, unknown>>;
  if (found !== format || typeof outputs !== "object" || outputs === null) return false;
  const each = Object.values(outputs as Record<string, { readonly data?: unknown } | null>);
  return (
    each.length > 0 &&
    each.every((output) => Array.isArray(output?.data) && output.data.every(Number.isFinite))
  );
}
