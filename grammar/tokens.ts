// The token table: every token type of the language once, in the order the lexer tries them.
import { createToken, Lexer } from "chevrotain";
import type { IToken, TokenType } from "chevrotain";

/** Category of everything that may stand where a name stands: names, and the words that only start declarations. */
export const Identifier = createToken({ name: "Identifier", pattern: Lexer.NA });

/** Latin and Greek letters; other scripts and symbols are left to the unknown-character message. */
const letter = "A-Za-z_\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u024F\\u0370-\\u03FF";
export const Name = createToken({
  name: "Name",
  pattern: new RegExp(`[${letter}][${letter}0-9]*`),
  categories: [Identifier],
});

function word(text: string): TokenType {
  return createToken({ name: text, pattern: text, longer_alt: Name });
}
function declarationWord(text: string): TokenType {
  return createToken({ name: text, pattern: text, longer_alt: Name, categories: [Identifier] });
}

export const Dlm = declarationWord("dlm");
export const Use = declarationWord("use");
export const Let = declarationWord("let");
export const Fn = declarationWord("fn");
export const Module = declarationWord("module");
export const Model = declarationWord("model");
export const Op = declarationWord("op");
export const Optimizer = declarationWord("optimizer");
export const Data = declarationWord("data");
export const Train = declarationWord("train");
export const Tune = declarationWord("tune");
export const Evaluate = declarationWord("evaluate");
export const Deploy = declarationWord("deploy");
export const Check = declarationWord("check");

/** The words that start a declaration, and that are names everywhere else. */
export const declarationWords: readonly TokenType[] = [
  Use,
  Let,
  Fn,
  Module,
  Model,
  Optimizer,
  Op,
  Data,
  Train,
  Tune,
  Evaluate,
  Deploy,
  Check,
];

export const From = word("from");
export const On = word("on");
export const Where = word("where");
export const Over = word("over");
export const As = word("as");
export const In = word("in");
export const If = word("if");
export const Else = word("else");
export const Repeat = word("repeat");
export const Shared = word("shared");
export const For = word("for");
export const Residual = word("residual");
export const Via = word("via");
export const Branch = word("branch");
export const Recompute = word("recompute");
export const Scan = word("scan");
export const With = word("with");
export const Yield = word("yield");
export const Weight = word("weight");
export const State = word("state");
export const Divides = word("divides");
export const Mod = word("mod");
export const True = word("true");
export const False = word("false");
export const And = word("and");
export const Or = word("or");
export const Not = word("not");

/** The words that are never names. */
export const reservedWords: readonly TokenType[] = [
  From,
  On,
  Where,
  Over,
  As,
  In,
  If,
  Else,
  Repeat,
  Shared,
  For,
  Residual,
  Via,
  Branch,
  Recompute,
  Scan,
  With,
  Yield,
  Weight,
  State,
  Divides,
  Mod,
  True,
  False,
  And,
  Or,
  Not,
];

const digits = "[0-9][0-9_]*(?:\\.[0-9][0-9_]*)?(?:[eE][+-]?[0-9]+)?";
export const Percent = createToken({ name: "Percent", pattern: new RegExp(`${digits}%`) });
export const Quantity = createToken({
  name: "Quantity",
  pattern: new RegExp(`${digits}(?![eE][+-]?[0-9])[A-Za-z]+`),
});
export const Number = createToken({ name: "Number", pattern: new RegExp(digits) });
export const String = createToken({ name: "String", pattern: /"(?:[^"\\\r\n]|\\[^\r\n])*"/ });
/** A string without its closing quote, up to the line's end: a String for the parser, after a message. */
export const OpenString = createToken({
  name: "OpenString",
  pattern: /"(?:[^"\\\r\n]|\\[^\r\n])*\\?/,
  categories: [String],
});

function sign(name: string, text: string, ...categories: TokenType[]): TokenType {
  return createToken({ name, pattern: text, categories });
}

export const Arrow = sign("Arrow", "->");
export const Rearranges = sign("Rearranges", "=>");
export const Becomes = sign("Becomes", "<-");
export const Accumulates = sign("Accumulates", "+=");
export const Equal = sign("Equal", "==");
export const Unequal = sign("Unequal", "!=");
export const AtMost = sign("AtMost", "<=");
export const AtLeast = sign("AtLeast", ">=");
export const Less = sign("Less", "<");
export const Greater = sign("Greater", ">");
export const Assign = sign("Assign", "=");
export const Tilde = sign("Tilde", "~");
export const Colon = sign("Colon", ":");
export const Comma = sign("Comma", ",");
export const Dots = sign("Dots", "..");
export const Dot = sign("Dot", ".");
export const Plus = sign("Plus", "+");
export const Minus = sign("Minus", "-");
export const Times = sign("Times", "*");
export const Slash = sign("Slash", "/");
export const At = sign("At", "@");
export const Power = sign("Power", "^");
export const OpenRound = sign("OpenRound", "(");
export const CloseRound = sign("CloseRound", ")");
export const OpenSquare = sign("OpenSquare", "[");
export const CloseSquare = sign("CloseSquare", "]");
export const OpenCurly = sign("OpenCurly", "{");
export const CloseCurly = sign("CloseCurly", "}");

/** Made by newlines.ts alone: the end of a statement. */
export const Newline = createToken({ name: "Newline", pattern: Lexer.NA, line_breaks: true });

const Space = createToken({
  name: "Space",
  pattern: /[ \t\r\n\f\v\u00A0\uFEFF]+/,
  group: Lexer.SKIPPED,
  line_breaks: true,
});
const Comment = createToken({ name: "Comment", pattern: /\/\/[^\r\n]*/, group: "comments" });
/** Whatever no other token takes, one character (both halves of a surrogate pair): kept from the parser. */
const Unknown = createToken({
  name: "Unknown",
  pattern: /[\uD800-\uDBFF][\uDC00-\uDFFF]|[^]/,
  group: "unknown",
  line_breaks: true,
});

export const tokenTypes: readonly TokenType[] = [
  Space,
  Comment,
  ...declarationWords,
  Dlm,
  ...reservedWords,
  Name,
  Percent,
  Quantity,
  Number,
  String,
  OpenString,
  Arrow,
  Rearranges,
  Becomes,
  Accumulates,
  Equal,
  Unequal,
  AtMost,
  AtLeast,
  Less,
  Greater,
  Assign,
  Tilde,
  Colon,
  Comma,
  Dots,
  Dot,
  Plus,
  Minus,
  Times,
  Slash,
  At,
  Power,
  OpenRound,
  CloseRound,
  OpenSquare,
  CloseSquare,
  OpenCurly,
  CloseCurly,
  Unknown,
  Identifier,
  Newline,
];

export interface Tokens {
  readonly tokens: readonly IToken[];
  /** `//` and `///`, in order */
  readonly comments: readonly IToken[];
  /** characters that belong to no token */
  readonly unknown: readonly IToken[];
}

let lexer: Lexer | undefined;

export function tokenize(text: string): Tokens {
  lexer ??= new Lexer([...tokenTypes], { positionTracking: "full" });
  const result = lexer.tokenize(text);
  return {
    tokens: result.tokens,
    comments: result.groups["comments"] ?? [],
    unknown: result.groups["unknown"] ?? [],
  };
}
