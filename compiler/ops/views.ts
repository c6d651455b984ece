/** Ops that only move, repeat or leave out elements of their one operand. */
export const views: ReadonlySet<string> = new Set(["reorder", "split", "merge", "slice", "expand"]);
