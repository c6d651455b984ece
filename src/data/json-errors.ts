/** Where a text stops being JSON (RFC 8259), which JSON.parse does not tell in all engines and for all texts. */

const space = /[ \t\n\r]*/y;
const scalar = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** What may come next. */
type Expected = "value" | "first key" | "key" | "colon" | "first item" | "comma" | "end";

/** The first place that fits in no JSON text; the length of the text where it only breaks off. */
export function brokenAt(text: string): number {
  const open: ("{" | "[")[] = [];
  let expected = "value" as Expected;
  let at = 0;
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    if (!pattern.test(text)) return false;
    at = pattern.lastIndex;
    return true;
  };
  const closed = (): Expected => {
    open.pop();
    return open.length === 0 ? "end" : "comma";
  };
  const valueDone = (): Expected => (open.length === 0 ? "end" : "comma");
  for (;;) {
    take(space);
    const sign = text[at];
    if (sign === undefined) return text.length;
    const inner = open.at(-1);
    if (expected === "end") return at;
    if (expected === "colon") {
      if (sign !== ":") return at;
      at++;
      expected = "value";
    } else if (expected === "comma") {
      if (sign === ",") expected = inner === "{" ? "key" : "value";
      else if (sign === (inner === "{" ? "}" : "]")) expected = closed();
      else return at;
      at++;
    } else if (sign === "}" && expected === "first key") {
      expected = closed();
      at++;
    } else if (sign === "]" && expected === "first item") {
      expected = closed();
      at++;
    } else if (sign === '"') {
      const end = endOfString(text, at, (place) => {
        at = place;
        return take(escape) ? at : undefined;
      });
      if (end.broken) return end.at;
      ({ at } = end);
      expected = expected === "key" || expected === "first key" ? "colon" : valueDone();
    } else if (expected === "key" || expected === "first key") return at;
    else if (sign === "{" || sign === "[") {
      open.push(sign);
      expected = sign === "{" ? "first key" : "first item";
      at++;
    } else if (take(scalar)) expected = valueDone();
    else return at;
  }
}

/** Behind the string that begins at `from`, or the place where it is broken. `escaped` gives the place behind an escape. */
function endOfString(
  text: string,
  from: number,
  escaped: (at: number) => number | undefined,
): { readonly at: number; readonly broken: boolean } {
  let at = from + 1;
  for (;;) {
    const unit = text.charCodeAt(at);
    if (Number.isNaN(unit)) return { at: text.length, broken: true };
    if (unit < 0x20) return { at, broken: true };
    if (unit === 0x22) return { at: at + 1, broken: false };
    if (unit !== 0x5c) at++;
    else {
      const next = escaped(at);
      if (next === undefined) return { at, broken: true };
      at = next;
    }
  }
}
