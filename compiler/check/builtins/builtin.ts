/** A function of the language that is written in TypeScript: what it takes, and how a use becomes a value. */
import type { Expression } from "../../../grammar/ast.ts";
import type { Span } from "../../../grammar/source.ts";
import type { Frame } from "../frame.ts";
import type { Axis } from "../type.ts";
import type { CheckValue, OverAxes } from "../values.ts";

export interface BuiltinParameter {
  readonly name: string;
  /** may be left out */
  readonly optional?: true;
  /** takes all further arguments without a name (last of its list) */
  readonly rest?: true;
}

export interface Given {
  readonly value: CheckValue;
  readonly span: Span;
  readonly expression: Expression | undefined;
  /** `T as S` */
  readonly alias: string | undefined;
  /** where it is told that it does not fit, if not at the call: the parameter of a model that a column is given to */
  readonly at?: Span;
}

export interface BuiltinCall {
  readonly frame: Frame;
  /** the whole use */
  readonly span: Span;
  /** the name alone */
  readonly nameSpan: Span;
  readonly configuration: ReadonlyMap<string, Given>;
  readonly tensors: ReadonlyMap<string, Given>;
  /** arguments of the tensor parameter that takes the rest */
  readonly rest: readonly Given[];
  readonly over: OverAxes | undefined;
}

export interface Builtin {
  readonly name: string;
  /** as a person would write it */
  readonly signature: string;
  readonly doc: string;
  readonly configuration: readonly BuiltinParameter[];
  readonly tensors: readonly BuiltinParameter[];
  readonly over: "required" | "optional" | "none";
  /** compile-time functions take numbers and words, and no tensor */
  readonly run: (call: BuiltinCall) => CheckValue;
  /** `zeros[B, H]` */
  readonly brackets?: (frame: Frame, shape: TensorShape) => CheckValue;
}

export interface TensorShape {
  readonly axes: readonly Axis[];
  readonly span: Span;
}
