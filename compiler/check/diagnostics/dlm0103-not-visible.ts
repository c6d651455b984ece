// DLM0103: a module that reads a let of its file.
import type { CallableDeclaration } from "../../../grammar/ast.ts";
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { Edit } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";

export interface NotVisible {
  readonly span: Span;
  readonly name: string;
  readonly declaration: CallableDeclaration;
  /** the name at each use in the file */
  readonly uses: readonly Span[];
}

/** Adds the parameter, and the argument at each use. */
function fix({ name, declaration, uses }: NotVisible): Edit[] {
  const after = declaration.name.span.end;
  const at = { source: declaration.name.span.source, start: after, end: after };
  const [first] = declaration.configuration;
  const inside = first && { ...at, start: first.span.start, end: first.span.start };
  const edits: Edit[] = [inside ? { span: inside, text: `${name}, ` } : { span: at, text: `(${name})` }];
  for (const use of uses) {
    const { source, end } = use;
    const called = source.text[end] === "(";
    const at = called ? end + 1 : end;
    const text = !called ? `(${name})` : source.text[at] === ")" ? name : `${name}, `;
    edits.push({ span: { source, start: at, end: at }, text });
  }
  return edits;
}

export const notVisible = defineDiagnostic<NotVisible>({
  code: "DLM0103",
  severity: "error",
  explanation: `A module is a recipe: it sees its parameters and nothing else of its file, so that it means the same wherever it
is used. A model is the dish, and may use the file's \`let\`s.`,
  example: {
    wrong: `dlm 1

let Width = 32

module Block(act = relu)(x: [B, D]) -> [B, D] {
  x -> Dense(Width) -> act -> Dense(D)
}

model Small(x: [B, D=8]) -> [B, D] {
  x -> Block(gelu)
}
`,
    right: `dlm 1

let Width = 32

module Block(Width, act = relu)(x: [B, D]) -> [B, D] {
  x -> Dense(Width) -> act -> Dense(D)
}

model Small(x: [B, D=8]) -> [B, D] {
  x -> Block(Width, gelu)
}
`,
  },
  cause: ({ name, declaration: { span } }) => `${name} ${span.source.path} ${span.start}`,
  build(facts) {
    const { span, name, declaration, uses } = facts;
    const { kind } = declaration;
    const count = uses.length === 1 ? "1 use" : `${uses.length} uses`;
    return {
      message: `\`${name}\` is not visible inside \`${kind} ${declaration.name.text}\``,
      primary: { span, text: "a `let` of the file" },
      labels: [{ span: declaration.name.span, text: `this ${kind} sees only its parameters` }],
      helps: [{ text: `add the parameter \`${name}\`, and pass it at ${count}`, edits: fix(facts) }],
    };
  },
});
