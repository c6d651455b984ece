/** Reads one line of IR text, piece by piece. */
import * as dim from "./dim.ts";
import type { Dim } from "./dim.ts";

/** Something in the text is not as it must be; column from 1. */
export class TextError extends Error {
  readonly column: number;
  constructor(message: string, column: number) {
    super(message);
    this.column = column;
  }
}

export class Scanner {
  readonly #line: string;
  #at = 0;

  constructor(line: string) {
    this.#line = line;
    this.#skipSpace();
  }

  fail(message: string): never {
    throw new TextError(message, this.#at + 1);
  }

  /** Whether nothing but a comment is left. */
  atEnd(): boolean {
    return this.#at >= this.#line.length || this.looksAt("//");
  }

  looksAt(text: string): boolean {
    return this.#line.startsWith(text, this.#at);
  }

  take(text: string): boolean {
    if (!this.looksAt(text)) return false;
    this.#at += text.length;
    this.#skipSpace();
    return true;
  }

  expect(text: string): void {
    if (!this.take(text)) this.fail(`expected ${text}`);
  }

  word(what: string): string {
    return this.#match(/[A-Za-z_]\w*/y) ?? this.fail(`expected ${what}`);
  }

  takeWord(word: string): boolean {
    return new RegExp(`^${word}\\b`).test(this.#line.slice(this.#at)) && this.take(word);
  }

  /** A plain name, or one in quotes. */
  name(): string {
    if (this.looksAt('"')) return this.string();
    return this.#match(/[\w.$-]+/y) ?? this.fail("expected a name");
  }

  string(): string {
    const quoted = this.#match(/"(?:[^"\\]|\\.)*"/y) ?? this.fail("expected a text in quotes");
    try {
      return String(JSON.parse(quoted));
    } catch {
      return this.fail("this text in quotes is not written as JSON");
    }
  }

  number(): number | undefined {
    const found = this.#match(/-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?\b|Infinity\b)|NaN\b/y);
    return found === undefined ? undefined : Number(found);
  }

  digest(): string {
    this.expect("#");
    return this.#match(/[0-9a-f]+/y) ?? this.fail("expected a digest");
  }

  /** What stands after `//`, to the end of the line; fails where something else is left. */
  comment(): string {
    if (this.#at >= this.#line.length) return "";
    this.expect("//");
    const text = this.#line.slice(this.#at).trimEnd();
    this.#at = this.#line.length;
    return text;
  }

  /** `1+3*B*D`, `floor((B)/(2))`: the key of a size. */
  size(): Dim {
    let sum = this.#term();
    while (this.take("+")) sum = dim.add(sum, this.#term());
    return sum;
  }

  #term(): Dim {
    let product = this.#factor();
    while (this.take("*")) product = dim.multiply(product, this.#factor());
    return product;
  }

  #factor(): Dim {
    const whole = this.#match(/-?\d+/y);
    if (whole !== undefined) return dim.constant(Number(whole));
    const name = this.#match(/[A-Za-z_$][\w.$]*/y) ?? this.fail("expected a size");
    if (name !== "floor" || !this.take("(")) return dim.symbol(name);
    this.expect("(");
    const numerator = this.size();
    this.expect(")");
    this.expect("/");
    this.expect("(");
    const denominator = this.size();
    this.expect(")");
    this.expect(")");
    return dim.floorDivide(numerator, denominator);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#line)?.[0];
    if (found === undefined) return undefined;
    this.#at += found.length;
    this.#skipSpace();
    return found;
  }

  #skipSpace(): void {
    while (this.#line[this.#at] === " " || this.#line[this.#at] === "\t") this.#at++;
  }
}
