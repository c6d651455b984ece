/**
 * The syntax tree. Total: whatever the text, there is a tree; a part that could not be read is a `Hole`.
 * Every node has a span. Names keep their own span so that a diagnostic or a rename can point at them.
 */
import type { Span } from "./source.ts";

export interface Name {
  readonly text: string;
  readonly span: Span;
}

export interface File {
  readonly span: Span;
  /** `dlm 1`; undefined where the line is missing */
  readonly edition: { readonly value: number; readonly span: Span } | undefined;
  readonly declarations: readonly Declaration[];
}

// ---------------------------------------------------------------- declarations

export type Declaration =
  | UseDeclaration
  | LetDeclaration
  | CallableDeclaration
  | OptimizerDeclaration
  | DataDeclaration
  | WorkflowDeclaration;

interface DeclarationBase {
  readonly span: Span;
  /** the `///` lines above, without the slashes; empty when there are none */
  readonly doc: string;
}

/** `use "./blocks.dlm" (Block)`, `use std.text (bpe)`; no names: all */
export interface UseDeclaration extends DeclarationBase {
  readonly kind: "use";
  readonly from: { readonly text: string; readonly span: Span; readonly quoted: boolean };
  readonly names: readonly Name[] | undefined;
}

export interface LetDeclaration extends DeclarationBase {
  readonly kind: "let";
  readonly name: Name;
  readonly type: Type | undefined;
  readonly value: Expression;
}

/** `module Dense(Out)(x: [.., In]) -> [.., Out] where ... { ... }`; one parameter list means tensors, two mean configuration and tensors */
export interface CallableDeclaration extends DeclarationBase {
  readonly kind: "module" | "model" | "fn" | "op";
  readonly name: Name;
  readonly configuration: readonly Parameter[];
  readonly tensors: readonly Parameter[];
  readonly result: Type;
  readonly where: readonly Expression[];
  readonly body: Body;
}

/** `optimizer sgd(rate, momentum = 0) where 0 <= rate { ... }` */
export interface OptimizerDeclaration extends DeclarationBase {
  readonly kind: "optimizer";
  readonly name: Name;
  readonly configuration: readonly Parameter[];
  readonly where: readonly Expression[];
  readonly body: Body;
}

export interface DataDeclaration extends DeclarationBase {
  readonly kind: "data";
  readonly name: Name;
  /** `csv("housing.csv")` */
  readonly from: Expression;
  readonly settings: Settings;
}

export interface WorkflowDeclaration extends DeclarationBase {
  readonly kind: "train" | "tune" | "evaluate" | "deploy" | "check";
  readonly name: Name;
  /** `on Housing.test` */
  readonly on: Expression | undefined;
  readonly settings: Settings;
}

export interface Parameter {
  readonly span: Span;
  readonly name: Name;
  readonly type: Type | undefined;
  readonly default: Expression | undefined;
}

// ---------------------------------------------------------------- types

export type Type = TensorTypeSyntax | NamedTypeSyntax | RecordTypeSyntax | Hole;

/** `[B, T, D=8]` (no element: the model's float type) */
export interface TensorTypeSyntax {
  readonly kind: "tensor-type";
  readonly span: Span;
  readonly axes: readonly AxisItem[];
}

/** `u8[H=28]`, `int<Vocab>[B, T]`, `Housing`, `number`, `category("a", "b")`, `Housing.row` */
export interface NamedTypeSyntax {
  readonly kind: "named-type";
  readonly span: Span;
  readonly path: readonly Name[];
  /** the part in `< >`: `int<10>`, `int<Class=10>` */
  readonly bound: { readonly name: Name | undefined; readonly value: Expression } | undefined;
  readonly arguments: readonly Argument[] | undefined;
  readonly axes: readonly AxisItem[] | undefined;
}

/** `(score: [B], user: [B, D=64])` */
export interface RecordTypeSyntax {
  readonly kind: "record-type";
  readonly span: Span;
  readonly fields: readonly { readonly name: Name; readonly type: Type }[];
}

/** One item inside brackets: `..`, `..S`, `B`, `H=28`, `_`, `4 * D`, `(heads E)`, `T as S` */
export type AxisItem =
  | { readonly kind: "pack"; readonly span: Span; readonly name: Name | undefined }
  | {
      readonly kind: "axis";
      readonly span: Span;
      readonly label: Name | undefined;
      readonly size: Expression;
    };

// ---------------------------------------------------------------- bodies and statements

export interface Body {
  readonly span: Span;
  readonly statements: readonly Statement[];
}

export type Statement =
  | {
      readonly kind: "weight";
      readonly span: Span;
      readonly name: Name;
      readonly type: Type;
      readonly random: boolean;
      readonly value: Expression;
    }
  | {
      readonly kind: "state";
      readonly span: Span;
      readonly name: Name;
      readonly type: Type | undefined;
      readonly value: Expression;
    }
  | { readonly kind: "update"; readonly span: Span; readonly name: Name; readonly value: Expression }
  | { readonly kind: "yield"; readonly span: Span; readonly value: Expression }
  | {
      readonly kind: "bind";
      readonly span: Span;
      readonly names: readonly Name[];
      readonly value: Expression;
    }
  /** `y[b, o] += x[b, i] * k[i, o]`, in an op */
  | {
      readonly kind: "accumulate";
      readonly span: Span;
      readonly target: Expression;
      readonly value: Expression;
    }
  | { readonly kind: "expression"; readonly span: Span; readonly value: Expression }
  | Hole;

// ---------------------------------------------------------------- settings

export interface Settings {
  readonly span: Span;
  readonly settings: readonly Setting[];
}

export type Setting =
  /** `real = image -> scale(2/255)` */
  | { readonly kind: "binding"; readonly span: Span; readonly name: Name; readonly value: Expression }
  /** `batch 64`, `split train = 80%`, `input a, b : number as N`, `stage head { ... }` */
  | {
      readonly kind: "call";
      readonly span: Span;
      readonly name: Name;
      readonly arguments: readonly Argument[];
      readonly type: Type | undefined;
      readonly alias: Name | undefined;
      readonly settings: Settings | undefined;
    }
  | Hole;

// ---------------------------------------------------------------- expressions

export interface Argument {
  readonly span: Span;
  readonly name: Name | undefined;
  readonly value: Expression;
  /** `T as S` */
  readonly alias: Name | undefined;
}

export type BinaryOperator =
  | "or"
  | "and"
  | "<"
  | "<="
  | "=="
  | "!="
  | ">"
  | ">="
  | "in"
  | "divides"
  | ".."
  | "+"
  | "-"
  | "*"
  | "/"
  | "@"
  | "mod"
  | "^";

export type Expression =
  | {
      readonly kind: "number";
      readonly span: Span;
      readonly value: number;
      /** `64`, not `64.0` or `1e3` */ readonly integer: boolean;
    }
  | { readonly kind: "percent"; readonly span: Span; /** 80% is 0.8 */ readonly value: number }
  | { readonly kind: "quantity"; readonly span: Span; readonly value: number; readonly unit: string }
  | { readonly kind: "string"; readonly span: Span; readonly value: string }
  | { readonly kind: "boolean"; readonly span: Span; readonly value: boolean }
  | NameExpression
  | {
      readonly kind: "binary";
      readonly span: Span;
      readonly operator: BinaryOperator;
      readonly operatorSpan: Span;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: "unary";
      readonly span: Span;
      readonly operator: "-" | "not";
      readonly operand: Expression;
    }
  /** `Dense(64)`, `f(x)`, `module(configuration)(tensors)` */
  | {
      readonly kind: "call";
      readonly span: Span;
      readonly callee: Expression;
      readonly arguments: readonly Argument[];
      readonly argumentsSpan: Span;
    }
  /** `table[id]`, `zeros[B, H]`, `ResNet18[..pool]`: brackets behind an expression */
  | {
      readonly kind: "brackets";
      readonly span: Span;
      readonly base: Expression;
      readonly items: readonly AxisItem[];
      readonly itemsSpan: Span;
    }
  /** `[32, 64]`, and the sides of a rearrange */
  | { readonly kind: "list"; readonly span: Span; readonly items: readonly AxisItem[] }
  | { readonly kind: "member"; readonly span: Span; readonly base: Expression; readonly name: Name }
  /** `[B, (heads E)] => [B, heads, E]` */
  | { readonly kind: "rearrange"; readonly span: Span; readonly from: Expression; readonly to: Expression }
  /** `instance from "file.safetensors" { ... }` */
  | {
      readonly kind: "from";
      readonly span: Span;
      readonly base: Expression;
      readonly file: string;
      readonly fileSpan: Span;
      readonly settings: Settings | undefined;
    }
  /** `mean(x) over [H, W]`, `softmax over last`; items are axis labels or a pack */
  | {
      readonly kind: "over";
      readonly span: Span;
      readonly base: Expression;
      readonly axes: readonly AxisItem[];
      readonly axesSpan: Span;
    }
  /** `(a, b)`, `(score = x, user = y)`; one unnamed element is only its own value and never a tuple */
  | { readonly kind: "tuple"; readonly span: Span; readonly elements: readonly Argument[] }
  /** `(heads E)`, an axis group of a rearrange */
  | { readonly kind: "group"; readonly span: Span; readonly members: readonly Argument[] }
  | {
      readonly kind: "if";
      readonly span: Span;
      readonly condition: Expression;
      readonly then: Body;
      readonly else: Body | undefined;
    }
  | {
      readonly kind: "repeat";
      readonly span: Span;
      readonly count: Expression;
      readonly shared: boolean;
      readonly body: Body;
    }
  | {
      readonly kind: "for";
      readonly span: Span;
      readonly variable: Name;
      readonly values: Expression;
      readonly body: Body;
    }
  | { readonly kind: "recompute"; readonly span: Span; readonly body: Body }
  | {
      readonly kind: "residual";
      readonly span: Span;
      /** of the word itself */ readonly keywordSpan: Span;
      readonly via: Expression | undefined;
      readonly body: Body;
    }
  | { readonly kind: "branch"; readonly span: Span; readonly body: Body }
  | {
      readonly kind: "scan";
      readonly span: Span;
      readonly sequence: Name;
      readonly axis: Name;
      readonly carries: readonly { readonly name: Name; readonly start: Expression }[];
      readonly body: Body;
    }
  /** `head -> stage -> stage`; without head (`-> relu` never starts a line) the first stage stands alone */
  | PipelineExpression
  | Hole;

export interface NameExpression {
  readonly kind: "name";
  readonly span: Span;
  readonly text: string;
}

export interface PipelineExpression {
  readonly kind: "pipeline";
  readonly span: Span;
  readonly head: Stage;
  readonly stages: readonly Stage[];
}

/** One stage: `head: Dense(10)`, `+ skip`, `{ ... }`, `softmax over S`. The head of a pipeline has the form "value". */
export type Stage =
  | {
      readonly kind: "value";
      readonly span: Span;
      readonly label: Name | undefined;
      readonly value: Expression;
    }
  | {
      readonly kind: "operator";
      readonly span: Span;
      readonly label: Name | undefined;
      readonly operator: "+" | "-" | "*" | "/" | "@" | "^";
      readonly operatorSpan: Span;
      readonly operand: Expression;
    }
  | { readonly kind: "block"; readonly span: Span; readonly label: Name | undefined; readonly body: Body };

/** What recovery could not read; poisons whatever holds it, without a further message. */
export interface Hole {
  readonly kind: "hole";
  readonly span: Span;
}
