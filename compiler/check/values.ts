/** What expressions mean to the checker. A tensor carries its type and, where a graph is built, its node. */
import type {
  AxisItem,
  CallableDeclaration,
  DataDeclaration,
  Expression,
  OptimizerDeclaration,
  Stage,
} from "../../grammar/ast.ts";
import type { Diagnostic } from "../../grammar/diagnostic.ts";
import type { Span } from "../../grammar/source.ts";
import type { Dim } from "../ir/dim.ts";
import type { Value } from "../ir/graph.ts";
import type { Bound, Named } from "./arguments.ts";
import type { Builtin } from "./builtins/builtin.ts";
import type { Frame, PathScope } from "./frame.ts";
import type { FileScope } from "./names.ts";
import type { SizeOrigin } from "./origin.ts";
import type { CheckType } from "./type.ts";

export type CheckValue =
  | TensorValue
  | NumberValue
  | BooleanValue
  | StringValue
  | WordValue
  | CallableValue
  | BuiltinValue
  | OverValue
  | CompositionValue
  | InstanceValue
  | RecordValue
  | DataValue
  | OptimizerValue
  | ListValue
  | RangeValue
  | UnknownValue;

export interface TensorValue {
  readonly kind: "tensor";
  readonly type: CheckType;
  /** undefined where a module is checked alone: there is no graph then */
  readonly value: Value | undefined;
  /** the expression that made it */
  readonly span: Span;
  /** it has been through softmax or sigmoid: it is a probability already */
  readonly probability?: Probability | undefined;
  /** where it holds trained weights: the stage that brought them in */
  readonly learned?: Span | undefined;
  /** the use of a library module whose last step added a bias */
  readonly biased?: Span | undefined;
}

export interface Probability {
  readonly by: string;
  readonly span: Span;
}

/** A number known before running, or a size. `value` is undefined for sizes that stay symbolic. */
export interface NumberValue {
  readonly kind: "number";
  readonly value: number | undefined;
  /** present where it is a whole number */
  readonly dim: Dim | undefined;
  readonly origin: SizeOrigin;
  /** the capital name it was written as: an axis of this size gets it as its label */
  readonly label: string | undefined;
  /** of `5ms`, `12 * epoch` */
  readonly unit?: string | undefined;
  /** it is this division, of which nothing says that it leaves no rest */
  readonly quotient?: { readonly left: Dim; readonly right: Dim; readonly span: Span } | undefined;
  /** a configuration parameter of which nothing is known while its module is checked alone */
  readonly open?: true;
  /** an axis that a rearrange named: another one may take the name */
  readonly pattern?: true;
}

export interface BooleanValue {
  readonly kind: "boolean";
  /** undefined: cannot be decided while a module is checked alone */
  readonly value: boolean | undefined;
  /** equal sizes that hold where it is true */
  readonly equal?: readonly (readonly [Dim, Dim])[];
}

export interface StringValue {
  readonly kind: "string";
  readonly value: string;
}

/** A word that only stands for itself: `same`, `valid`, `relu` is not one. */
export interface WordValue {
  readonly kind: "word";
  readonly text: string;
}

/** A module, model, fn or op of a file, with the configuration given so far. */
export interface CallableValue {
  readonly kind: "callable";
  readonly declaration: CallableDeclaration;
  /** the file it is written in */
  readonly scope: FileScope;
  /** configuration by parameter name; undefined: not given yet */
  readonly configuration: ReadonlyMap<string, ConfigurationArgument> | undefined;
  /** further tensors given with the configuration, for a stage: `dot(v)` */
  readonly tensors: readonly TensorArgument[];
  /** where it was named or configured */
  readonly span: Span;
  readonly over: OverAxes | undefined;
}

export interface ConfigurationArgument {
  readonly value: CheckValue;
  readonly span: Span;
}

export interface TensorArgument {
  readonly name: string | undefined;
  readonly value: CheckValue;
  readonly span: Span;
}

/** An op of the checker itself, written in TypeScript. */
export interface BuiltinValue {
  readonly kind: "builtin";
  readonly builtin: Builtin;
  /** what is given so far */
  readonly bound: Bound | undefined;
  readonly span: Span;
  readonly over: OverAxes | undefined;
}

export interface OverAxes {
  readonly items: readonly AxisItem[];
  readonly span: Span;
  /** the frame whose labels and packs the items mean */
  readonly frame: Frame;
}

/** `[B, D] => [D, B]` as a value: a stage that rearranges. */
export interface OverValue {
  readonly kind: "rearrange";
  readonly expression: Extract<Expression, { kind: "rearrange" }>;
  readonly frame: Frame;
  readonly span: Span;
}

/** Stages without an input: they are applied where a tensor arrives. */
export interface CompositionValue {
  readonly kind: "composition";
  readonly stages: readonly Stage[];
  readonly frame: Frame;
  readonly span: Span;
}

/** A named module or composition: used twice, it shares its weights. */
export interface InstanceValue {
  readonly kind: "instance";
  readonly name: string;
  readonly target: CallableValue | CompositionValue;
  /** the scope of paths in which it was named */
  readonly scope: PathScope;
  /** stands for this binding, so that another of the same name is noticed */
  readonly identity: object;
  readonly span: Span;
}

/** Named values: the inputs of a row, or several outputs. */
export interface RecordValue {
  readonly kind: "record";
  readonly fields: ReadonlyMap<string, CheckValue>;
  readonly span: Span;
  readonly unsound?: true;
  /** says why a field is missing, where that has a better reason than its name */
  readonly missing?: ((name: string, span: Span) => Diagnostic | undefined) | undefined;
}

export interface DataValue {
  readonly kind: "data";
  readonly declaration: DataDeclaration;
  /** `test` in `Housing.test` */
  readonly split: string | undefined;
  readonly columns: readonly DataColumn[];
  /** late dims and the like: `Plays.Chars` */
  readonly exports: ReadonlyMap<string, CheckValue>;
  /** its declaration has mistakes, so that what is missing of it is no news */
  readonly unsound?: true;
}

export interface DataColumn {
  readonly name: string;
  readonly role: "input" | "target";
  /** `number` columns are stacked by `home.numbers` */
  readonly kind: "number" | "category" | "text" | "array";
  /** of one row, without the batch */
  readonly type: CheckType;
  readonly span: Span;
}

export interface OptimizerValue {
  readonly kind: "optimizer";
  readonly declaration: OptimizerDeclaration;
  readonly arguments: readonly Named[] | undefined;
  readonly span: Span;
}

export interface ListValue {
  readonly kind: "list";
  readonly items: readonly CheckValue[];
  readonly span: Span;
}

export interface RangeValue {
  readonly kind: "range";
  readonly from: NumberValue;
  readonly to: NumberValue;
}

/** Something went wrong and was reported: swallows what follows from it. */
export interface UnknownValue {
  readonly kind: "unknown";
}

export const unknown: UnknownValue = { kind: "unknown" };

/** Things that take a tensor as a stage. */
export type StageValue = CallableValue | BuiltinValue | OverValue | CompositionValue | InstanceValue;

export function isStage(value: CheckValue): value is StageValue {
  return (
    value.kind === "callable" ||
    value.kind === "builtin" ||
    value.kind === "rearrange" ||
    value.kind === "composition" ||
    value.kind === "instance"
  );
}

/** In words, for messages. */
export function kindInWords(value: CheckValue): string {
  switch (value.kind) {
    case "tensor":
      return "a tensor";
    case "number":
      return "a number";
    case "boolean":
      return "true or false";
    case "string":
      return "a text";
    case "word":
      return `the word \`${value.text}\``;
    case "callable":
      return `the ${value.declaration.kind} \`${value.declaration.name.text}\``;
    case "builtin":
      return `the function \`${value.builtin.name}\``;
    case "rearrange":
      return "a rearrange";
    case "composition":
      return "a composition of stages";
    case "instance":
      return `\`${value.name}\``;
    case "record":
      return "several named values";
    case "data":
      return `the data \`${value.declaration.name.text}\``;
    case "optimizer":
      return `the optimizer \`${value.declaration.name.text}\``;
    case "list":
      return "a list";
    case "range":
      return "a range";
    case "unknown":
      return "unknown";
  }
}
