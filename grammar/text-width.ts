// How many terminal columns a text takes, and the same text with its tabs and control characters made visible.

const tabStop = 4;
const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
const plain = /^[\x20-\x7e]*$/;
/** East Asian wide and fullwidth ranges of Unicode Standard Annex 11, and emoji presentation. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;
const invisible = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;
// oxlint-disable-next-line no-control-regex
const control = /^[\x00-\x1f\x7f-\x9f]$/;

function columnsOf(grapheme: string): number {
  if (invisible.test(grapheme)) return 0;
  return wide.test(grapheme) ? 2 : 1;
}

export function textWidth(text: string): number {
  if (plain.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += columnsOf(segment);
  return width;
}

/** Tabs become spaces up to the next stop; control characters, which could move the cursor, a replacement sign. */
export function printable(line: string): string {
  if (plain.test(line)) return line;
  let result = "";
  let width = 0;
  for (const { segment } of segmenter.segment(line)) {
    const shown =
      segment === "\t" ? " ".repeat(tabStop - (width % tabStop)) : control.test(segment) ? "\ufffd" : segment;
    width += segment === "\t" ? shown.length : columnsOf(shown);
    result += shown;
  }
  return result;
}

/** Words put on lines of at most `width` columns; a word longer than that keeps a line of its own. */
export function wrap(text: string, width: number): string[] {
  // lines with runs of spaces are laid out by hand
  if (textWidth(text) <= width || /\S {2,}\S/.test(text)) return [text];
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && textWidth(longer) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}
