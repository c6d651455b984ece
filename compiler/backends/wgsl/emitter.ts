/**
 * Scalar code to WGSL, inside a loop nest that is being written. Every open block is a level; a value is written once,
 * at the outermost level where all it depends on is bound, and named there.
 */
import * as dim from "../../ir/dim.ts";
import type { Dim } from "../../ir/dim.ts";
import { InternalError } from "../../ir/internal-error.ts";
import type { Buffer, Stage } from "../../ir/kernel.ts";
import type { Affine, LoopAxis, Scalar } from "../../ir/scalar.ts";
import type { ScalarType } from "../../ir/type.ts";
import type { Layout } from "../../lower/program.ts";
import type { Flat } from "../access.ts";
import { dependenciesOf, flatOf } from "../dependencies.ts";
import type { Bindings } from "./bindings.ts";
import { literal } from "./functions.ts";
import { instructionTexts } from "./instructions.ts";
import type { Writer } from "./writer.ts";

export const typeTexts: Readonly<Record<ScalarType, string>> = { f32: "f32", i32: "i32", bool: "bool" };

/** What all code of one shader shares. */
export interface ShaderContext {
  readonly kernel: string;
  readonly layout: Layout;
  readonly bindings: Bindings;
  /** members of the uniform block: dims of the call, maxima that memory was planned for, counters of loops */
  readonly dims: ReadonlyMap<string, string>;
  readonly maxima: ReadonlyMap<string, string>;
  readonly counters: ReadonlyMap<LoopAxis, string>;
  /** names of functions that the text calls */
  readonly functions: Set<string>;
  /** how a tile's element at this position is named */
  tile(stage: Stage, flat: string): string;
}

/** A value and the level at which it is known. */
interface Bound {
  readonly text: string;
  readonly level: number;
}

export interface Emitter {
  readonly writer: Writer;
  readonly context: ShaderContext;
  /** Opens a block of this line; what is bound or named inside ends with it. */
  open(line: string): void;
  close(): void;
  bind(axis: LoopAxis, text: string): void;
  /** the result of a stage, from here on */
  define(stage: Stage, text: string): void;
  /** loads from it see what was stored: they stay where they are */
  readonly written: Set<Buffer>;
  size(size: Dim): string;
  index(affine: Affine): string;
  scalar(node: Scalar): string;
  /** a name for a value at the innermost level */
  keep(value: string): string;
  /** the number of an element in the units of `readElement` */
  element(buffer: Buffer, flat: Flat): string;
  store(buffer: Buffer, flat: Flat, value: string): void;
}

interface Level {
  readonly scalars: Map<Scalar, string>;
  readonly named: Map<string, string>;
}

/** A size as WGSL, from what holds the dims. */
export function sizeText(size: Dim, symbols: ReadonlyMap<string, string>, functions: Set<string>): string {
  const known = dim.constantOf(size);
  if (known !== undefined) return integer(known);
  const terms = size.terms.map(({ coefficient, atoms }) => {
    const factors = atoms.map((atom) => {
      if (atom.kind === "symbol") {
        const text = symbols.get(atom.name);
        if (text === undefined) throw new InternalError("wgsl", `no dim ${atom.name} here`, size.key);
        return text;
      }
      functions.add("floor_divide");
      return `floor_divide(${sizeText(atom.numerator, symbols, functions)}, ${sizeText(atom.denominator, symbols, functions)})`;
    });
    return [...(coefficient === 1 && factors.length > 0 ? [] : [integer(coefficient)]), ...factors].join(
      " * ",
    );
  });
  return terms.length === 1 ? terms[0]! : `(${terms.join(" + ")})`;
}

export function integer(value: number): string {
  return value === -0x80000000 ? "i32(-2147483648)" : value < 0 ? `(${value})` : `${value}`;
}

/** `parameters`: axes that are arguments of the function being written. */
export function makeEmitter(
  writer: Writer,
  context: ShaderContext,
  parameters: ReadonlyMap<LoopAxis, string> = new Map(),
): Emitter {
  const base = writer.depth;
  const levels: Level[] = [{ scalars: new Map(), named: new Map() }];
  let bindings = new Map<LoopAxis, Bound>(
    [...context.counters, ...parameters].map(([axis, text]) => [axis, { text, level: 0 }]),
  );
  let results = new Map<Stage, Bound>();
  const outer: { bindings: typeof bindings; results: typeof results }[] = [];
  const written = new Set<Buffer>();
  const numbers = new Map<object, number>();
  const numberOf = (thing: object): number => {
    let number = numbers.get(thing);
    if (number === undefined) numbers.set(thing, (number = numbers.size));
    return number;
  };
  const top = (): number => levels.length - 1;

  function keepAt(level: number, value: string): string {
    if (/^(\w+|\(-?\d+\))$/.test(value)) return value;
    const name = writer.fresh("v");
    writer.lineAt(base + level, `let ${name} = ${value};`);
    return name;
  }

  function named(level: number, key: string, value: () => string): string {
    const { named: names } = levels[level]!;
    let found = names.get(key);
    if (found === undefined) names.set(key, (found = keepAt(level, value())));
    return found;
  }

  function boundOf(axis: LoopAxis): Bound {
    const found = bindings.get(axis);
    if (found === undefined)
      throw new InternalError("wgsl", `axis ${axis.name} is not bound in ${context.kernel}`, undefined);
    return found;
  }

  function levelOf(node: Scalar): number {
    const of = dependenciesOf(node);
    let level = 0;
    for (const axis of of.axes) level = Math.max(level, boundOf(axis).level);
    for (const axis of of.guards) level = Math.max(level, boundOf(axis).level);
    for (const stage of of.stages) level = Math.max(level, results.get(stage)?.level ?? top());
    for (const buffer of of.buffers) if (written.has(buffer)) level = top();
    return level;
  }

  interface Part {
    readonly level: number;
    readonly key: string;
    readonly value: () => string;
  }

  /** start + sum of coefficient * axis, partial sums named at their levels. */
  function linear(start: Dim, terms: Iterable<readonly [LoopAxis, Dim]>, more: readonly Part[] = []): string {
    const parts: Part[] = [...more];
    for (const [axis, coefficient] of terms) {
      const { level, text } = boundOf(axis);
      if (text === "0") continue;
      parts.push({
        level,
        key: `${text}*${coefficient.key}`,
        value: () => (dim.constantOf(coefficient) === 1 ? text : `${text} * ${emitter.size(coefficient)}`),
      });
    }
    parts.sort((a, b) => a.level - b.level || (a.key < b.key ? -1 : 1));
    let sum = dim.equal(start, dim.zero) ? "" : emitter.size(start);
    let key = start.key;
    for (let i = 0; i < parts.length;) {
      const { level } = parts[i]!;
      const group: Part[] = [];
      while (i < parts.length && parts[i]!.level === level) group.push(parts[i++]!);
      key += `|${group.map((part) => part.key).join("+")}`;
      const before = sum;
      sum = named(level, key, () =>
        [...(before ? [before] : []), ...group.map((p) => p.value())].join(" + "),
      );
    }
    return sum || "0";
  }

  function conditionOf(index: Affine, size: Dim): Condition {
    let level = 0;
    for (const { axis } of index.terms) level = Math.max(level, boundOf(axis).level);
    const known = index.terms.every(({ axis }) => boundOf(axis).text === "0")
      ? dim.constantOf(index.constant)
      : undefined;
    const limit = dim.constantOf(size);
    if (known !== undefined && (known < 0 || limit !== undefined))
      return { level: 0, text: known >= 0 && known < limit! ? "true" : "false" };
    const value = emitter.index(index);
    return {
      level,
      text: named(level, `in${value}<${size.key}`, () => `u32(${value}) < u32(${emitter.size(size)})`),
    };
  }

  interface Condition {
    readonly text: string;
    readonly level: number;
  }

  /** What is known is left out: a constant index must not be written where the compiler would refuse it. */
  function all(given: readonly Condition[]): string {
    if (given.some(({ text }) => text === "false")) return "false";
    const conditions = given.filter(({ text }) => text !== "true");
    if (conditions.length === 0) return "true";
    if (conditions.length === 1) return conditions[0]!.text;
    const level = Math.max(...conditions.map((c) => c.level));
    const texts = conditions.map((c) => c.text);
    return named(level, `and${texts.join()}`, () => texts.join(" & "));
  }

  function zeroOf(type: ScalarType): string {
    return type === "f32" ? "0f" : type === "i32" ? "0" : "false";
  }

  function read(buffer: Buffer, at: string): string {
    const { range } = context.bindings.placed(buffer)!;
    const { element } = context.bindings.ranges[range]!;
    const array = `m${range}`;
    const { dtype } = buffer;
    if (element === "f32") return `${array}[${at}]`;
    switch (context.layout.elementBytes(buffer)) {
      case 1: {
        const byte = `(${array}[${at} >> 2u] >> (u32(${at} & 3) * 8u)) & 0xffu`;
        return dtype === "bool" ? `(${byte}) != 0u` : `i32(${byte})`;
      }
      case 2:
        return `unpack2x16float(${array}[${at} >> 1u])[${at} & 1]`;
      default:
        if (dtype === "bool") return `${array}[${at}] != 0u`;
        return `bitcast<${dtype === "f32" || dtype === "f16" ? "f32" : "i32"}>(${array}[${at}])`;
    }
  }

  function compute(node: Scalar): string {
    switch (node.kind) {
      case "constant":
        if (node.type === "bool") return node.value === 0 ? "false" : "true";
        if (node.type === "i32") return integer(node.value);
        if (Number.isFinite(Math.fround(node.value))) return literal(node.value);
        context.functions.add("from_bits");
        return `from_bits(0x${floatBits(node.value).toString(16)}u)`;
      case "index":
        return emitter.index(node.index);
      case "size":
        return emitter.size(node.size);
      case "inside":
        return all(node.index.map((index, i) => conditionOf(index, node.shape[i]!)));
      case "load": {
        if (!context.bindings.placed(node.buffer)) return zeroOf(node.type);
        const guards = node.guarded.flatMap((axis) => {
          const index = node.index[axis]!;
          return index.kind === "affine" ? [conditionOf(index.affine, node.shape[axis]!)] : [];
        });
        const inside = all(guards);
        if (inside === "false") return zeroOf(node.type);
        const value = read(node.buffer, emitter.element(node.buffer, flatOf(node)));
        return inside === "true" ? value : `select(${zeroOf(node.type)}, ${value}, ${inside})`;
      }
      case "result": {
        if (node.stage.place.kind === "tile") {
          const { constant, coefficients } = flatOf(node);
          return context.tile(node.stage, linear(constant, coefficients));
        }
        const result = results.get(node.stage);
        if (!result)
          throw new InternalError(
            "wgsl",
            `a result is read before it is there in ${context.kernel}`,
            undefined,
          );
        return result.text;
      }
      case "apply": {
        const { needs, text } = instructionTexts[node.instruction];
        if (needs !== undefined) context.functions.add(needs);
        // what is made of literals alone would be computed, and refused, by the compiler of the shader
        const literals = node.operands.every(({ kind }) => kind === "constant");
        const [a = "", b = "", c = ""] = node.operands.map((operand) => {
          const value = emitter.scalar(operand);
          if (!literals) return value;
          const name = writer.fresh("v");
          writer.lineAt(base, `let ${name} = ${value};`);
          return name;
        });
        return text(a, b, c);
      }
    }
  }

  const emitter: Emitter = {
    writer,
    context,
    written,
    open(line) {
      writer.open(line);
      outer.push({ bindings, results });
      bindings = new Map(bindings);
      results = new Map(results);
      levels.push({ scalars: new Map(), named: new Map() });
    },
    close() {
      writer.close();
      levels.pop();
      ({ bindings, results } = outer.pop()!);
    },
    bind: (axis, text) => void bindings.set(axis, { text, level: text === "0" ? 0 : top() }),
    define: (stage, text) => void results.set(stage, { text, level: top() }),
    size: (size) =>
      dim.constantOf(size) === undefined
        ? named(0, `size ${size.key}`, () => sizeText(size, context.dims, context.functions))
        : sizeText(size, context.dims, context.functions),
    index: (affine) =>
      linear(
        affine.constant,
        affine.terms.map((t) => [t.axis, t.coefficient] as const),
      ),
    scalar(node) {
      if (node.kind === "constant") return compute(node);
      const at = levelOf(node);
      const { scalars } = levels[at]!;
      let found = scalars.get(node);
      if (found === undefined) {
        const value = compute(node);
        scalars.set(node, (found = keepAt(at, value)));
      }
      return found;
    },
    keep: (value) => keepAt(top(), value),
    element(buffer, { constant, coefficients, computed }) {
      const { offset } = context.bindings.placed(buffer)!;
      const bytes = context.layout.elementBytes(buffer);
      const start = dim.divideExactly(offset, dim.constant(bytes))!;
      const ahead = dim.equal(start, dim.zero)
        ? []
        : [
            {
              level: 0,
              key: `@${start.key}`,
              value: () => sizeText(start, context.maxima, context.functions),
            },
          ];
      const more = computed.map(({ value, size, stride }): Part => {
        const level = levelOf(value);
        return {
          level,
          key: `c${numberOf(value)}<${size?.key}*${stride.key}`,
          value() {
            const text = emitter.scalar(value);
            const at = size === undefined ? text : `clamp(${text}, 0, ${emitter.size(size)} - 1)`;
            return dim.constantOf(stride) === 1 ? at : `${at} * ${emitter.size(stride)}`;
          },
        };
      });
      return linear(constant, coefficients, [...ahead, ...more]);
    },
    store(buffer, flat, value) {
      written.add(buffer);
      const placed = context.bindings.placed(buffer);
      if (!placed) return;
      const at = emitter.element(buffer, flat);
      const { element } = context.bindings.ranges[placed.range]!;
      writer.line(`m${placed.range}[${at}] = ${element === "f32" ? value : wordOf(buffer, value)};`);
    },
  };
  return emitter;
}

/** A value as the word that is stored of it. */
function wordOf({ dtype }: Buffer, value: string): string {
  switch (dtype) {
    case "bool":
      return `select(0u, 1u, ${value})`;
    case "u8":
      return `bitcast<u32>(${value}) & 0xffu`;
    case "f16":
      return `bitcast<u32>(quantizeToF16(${value}))`;
    default:
      return `bitcast<u32>(${value})`;
  }
}

function floatBits(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0]!;
}
