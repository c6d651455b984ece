/** What tells in dlm.lock whether data or its block were changed: `<hash of the bytes> <hash of the settings>`. */
import { createHash } from "node:crypto";
import type { DataPlan } from "../../compiler/check/flow/plans.ts";

const bytesDigits = 32;
const settingsDigits = 16;

/** Of the bytes read and of what the block does with them: other rows, other fingerprint. */
export function dataFingerprint(plan: DataPlan, bytes: string): string {
  return `${bytes.slice(0, bytesDigits)} ${settingsHash(settingsText(plan))}`;
}

/** Whether the block says what it said when the fingerprint was made. */
export function sameSettings(fingerprint: string | undefined, plan: DataPlan): boolean {
  return fingerprint?.split(" ")[1] === settingsHash(settingsText(plan));
}

/** Earlier locks hold the settings themselves, as JSON behind the hash of the bytes. */
export function shortFingerprint(written: string): string {
  const at = written.indexOf(" {");
  return at < 0 ? written : `${written.slice(0, bytesDigits)} ${settingsHash(written.slice(at + 1))}`;
}

function settingsHash(settings: string): string {
  return createHash("sha256").update(settings).digest("hex").slice(0, settingsDigits);
}

function settingsText(plan: DataPlan): string {
  const { drop, fill, split, text } = plan;
  const columns = plan.columns.map(({ name, kind, role, dtype, shape, text: rowText, classes }) => ({
    name,
    kind,
    role,
    dtype,
    shape,
    given: classes?.given === true ? classes.names : undefined,
    text: rowText,
  }));
  return JSON.stringify({ drop, fill, split, columns, text });
}
