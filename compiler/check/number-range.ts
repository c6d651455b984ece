/** Which numbers a place takes, and how messages say it. */

export interface NumberRange {
  readonly whole?: true;
  /** smallest value allowed */
  readonly least?: number;
  /** the value must be above this */
  readonly above?: number;
  readonly most?: number;
  /** the value must be below this */
  readonly below?: number;
}

/** "a whole number of at least 1", "a number above 0 and below 1" */
export function describeRange({ whole, least, above, most, below }: NumberRange): string {
  const limits = [
    ...(least === undefined ? [] : [`at least ${least}`]),
    ...(above === undefined ? [] : [`above ${above}`]),
    ...(most === undefined ? [] : [`at most ${most}`]),
    ...(below === undefined ? [] : [`below ${below}`]),
  ].join(" and ");
  return `a ${whole ? "whole " : ""}number${limits === "" ? "" : ` of ${limits}`}`.replace(
    "of above",
    "above",
  );
}
