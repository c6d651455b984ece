/** WGSL text as nested blocks. A value may be written in front of an open inner block: that is how it leaves a loop. */

interface Block {
  /** the line that opens it; undefined of the outermost */
  readonly open: string | undefined;
  /** lines in front of the opening one */
  readonly before: string[];
  readonly lines: (string | Block)[];
}

export interface Writer {
  /** how many blocks are open, the outermost not counted */
  readonly depth: number;
  line(text: string): void;
  open(text: string): void;
  close(): void;
  /** Writes a line that belongs to the block at this depth, in front of what is open inside of it. */
  lineAt(depth: number, text: string): void;
  /** A name that was not given before. */
  fresh(prefix: string): string;
  text(): string;
}

export function makeWriter(): Writer {
  const root: Block = { open: undefined, before: [], lines: [] };
  const blocks: Block[] = [root];
  let names = 0;
  const top = (): Block => blocks.at(-1)!;
  const render = (block: Block, indent: string): string[] => {
    const inside = block.open === undefined ? indent : `${indent}  `;
    return [
      ...block.before.map((line) => indent + line),
      ...(block.open === undefined ? [] : [indent + block.open]),
      ...block.lines.flatMap((line) => (typeof line === "string" ? [inside + line] : render(line, inside))),
      ...(block.open === undefined ? [] : [`${indent}}`]),
    ];
  };
  return {
    get depth() {
      return blocks.length - 1;
    },
    line: (text) => void top().lines.push(text),
    open(text) {
      const block: Block = { open: text, before: [], lines: [] };
      top().lines.push(block);
      blocks.push(block);
    },
    close: () => void blocks.pop(),
    lineAt(depth, text) {
      const inner = blocks[depth + 1];
      if (inner) inner.before.push(text);
      else top().lines.push(text);
    },
    fresh: (prefix) => `${prefix}_${names++}`,
    text: () => render(root, "  ").join("\n"),
  };
}
