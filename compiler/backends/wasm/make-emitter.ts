/**
 * Scalar code to wasm, inside a loop nest that is being written. Every open loop is a level; a value is computed once,
 * at the outermost level where all it depends on is bound, and kept in a local there. In vector mode four neighbours
 * along one axis are computed at once; what does not vary along it stays scalar and is splat once.
 */
import { bytesOf } from "../../ir/type.ts";
import * as dim from "../../ir/dim.ts";
import type { Dim } from "../../ir/dim.ts";
import { InternalError } from "../../ir/internal-error.ts";
import type { Buffer, Stage } from "../../ir/kernel.ts";
import type { Affine, LoopAxis, Scalar } from "../../ir/scalar.ts";
import type { Expr } from "./code.ts";
import type { Block, FunctionBuilder } from "./function-builder.ts";
import { dependenciesOf, flatOf } from "../dependencies.ts";
import { readElement, readVector, storeElement } from "./elements.ts";
import { applyScalar, applyVector } from "./instructions.ts";
import type { Emitter, EntryContext } from "./emitter.ts";
import { sizeCode } from "./sizes.ts";
import type { Symbols } from "./sizes.ts";

interface Level {
  readonly block: Block;
  readonly scalars: Map<Scalar, Expr>;
  readonly vectors: Map<Scalar, Expr>;
  readonly named: Map<string, Expr>;
}

interface Binding {
  readonly level: number;
  readonly value: Expr;
}

interface StageResult {
  readonly value: Expr;
  readonly level: number;
  readonly vector: boolean;
}

export function makeEmitter(fn: FunctionBuilder, context: EntryContext, dimLocals: Symbols): Emitter {
  const counters = new Map<LoopAxis, Binding>(
    [...context.counters].map(([axis, value]) => [axis, { level: 0, value }]),
  );
  return build(fn, context, dimLocals, [newLevel(fn.block)], counters, new Map(), new Set(), numbering());
}

function newLevel(block: Block): Level {
  return { block, scalars: new Map(), vectors: new Map(), named: new Map() };
}

type Numbering = (thing: object) => number;

function numbering(): Numbering {
  const numbers = new Map<object, number>();
  return (thing) => {
    let number = numbers.get(thing);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(thing, number);
    }
    return number;
  };
}

function build(
  fn: FunctionBuilder,
  context: EntryContext,
  dimLocals: Symbols,
  levels: Level[],
  bindings: Map<LoopAxis, Binding>,
  results: Map<Stage, StageResult>,
  written: Set<Buffer>,
  numberOf: Numbering,
): Emitter {
  const code = fn.code;
  const top = (): number => levels.length - 1;
  const outer: { bindings: Map<LoopAxis, Binding>; results: Map<Stage, StageResult> }[] = [];
  /** where a value that is being computed will stand, when that is not the innermost level */
  let placing: Level | undefined;

  function placed(level: Level, compute: () => Expr): Expr {
    const before = placing;
    placing = level;
    const value = compute();
    placing = before;
    return value;
  }

  /** A value kept at a level under a name that tells all that it is made of. */
  function named(level: number, key: string, value: () => Expr): Expr {
    const at = levels[level]!;
    let found = at.named.get(key);
    if (found === undefined) {
      const made = value();
      found = made.known !== undefined || "index" in made ? made : fn.keep(made, at.block);
      at.named.set(key, found);
    }
    return found;
  }

  function bindingOf(axis: LoopAxis): Binding {
    const binding = bindings.get(axis);
    if (binding === undefined)
      throw new InternalError("wasm", `axis ${axis.name} is not bound in ${context.name}`, undefined);
    return binding;
  }

  const isVector = (axis: LoopAxis): boolean => emitter.vector?.axis === axis;

  function levelOf(node: Scalar): number {
    const of = dependenciesOf(node);
    let level = 0;
    for (const axis of of.axes) level = Math.max(level, bindingOf(axis).level);
    for (const axis of of.guards)
      if (emitter.guards && !isVector(axis)) level = Math.max(level, bindingOf(axis).level);
    for (const stage of of.stages) level = Math.max(level, results.get(stage)?.level ?? top());
    for (const buffer of of.buffers) if (written.has(buffer)) level = top();
    return level;
  }

  interface Part {
    readonly level: number;
    readonly key: string;
    readonly value: () => Expr;
  }

  /** start + sum of scale * coefficient * axis, partial sums kept at their levels. */
  function linear(
    key: string,
    start: Expr,
    terms: Iterable<readonly [LoopAxis, Dim]>,
    scale: number,
    more: readonly Part[] = [],
  ): Expr {
    const parts: Part[] = [...more];
    for (const [axis, coefficient] of terms) {
      const { level, value } = bindingOf(axis);
      if (value.known === 0) continue;
      parts.push({
        level,
        key: `${value.known ?? ""}#${numberOf(axis)}*${coefficient.key}`,
        value: () => code.mul(value, emitter.size(dim.multiply(coefficient, dim.constant(scale)))),
      });
    }
    parts.sort((a, b) => a.level - b.level || (a.key < b.key ? -1 : 1));
    let sum = start;
    let all = `${key}x${scale}`;
    for (let i = 0; i < parts.length;) {
      const level = parts[i]!.level;
      const before = sum;
      const group: Part[] = [];
      while (i < parts.length && parts[i]!.level === level) group.push(parts[i++]!);
      all += `|${group.map((p) => p.key).join("+")}`;
      sum = named(level, all, () => group.reduce((s, p) => code.add(s, p.value()), before));
    }
    return sum;
  }

  function condition(index: Affine, size: Dim): { readonly value: Expr; readonly level: number } {
    let level = 0;
    for (const { axis } of index.terms) level = Math.max(level, bindingOf(axis).level);
    const value = emitter.index(index);
    const text = `in${affineKey(index)}<${size.key}`;
    return {
      level,
      value: named(level, text, () => code.op("i32.lt_u", value, emitter.size(size))),
    };
  }

  function affineKey(a: Affine): string {
    return a.constant.key + a.terms.map((t) => `+${numberOf(t.axis)}*${t.coefficient.key}`).join("");
  }

  /** Whether a guarded load is inside; guards on the vector axis hold by the loop's range. */
  function guardOf(node: Extract<Scalar, { kind: "load" }>): Expr | undefined {
    const conditions: { readonly value: Expr; readonly level: number }[] = [];
    for (const axis of emitter.guards ? node.guarded : []) {
      const index = node.index[axis]!;
      if (index.kind !== "affine") continue;
      if (emitter.vector && index.affine.terms.some((t) => isVector(t.axis))) continue;
      conditions.push(condition(index.affine, node.shape[axis]!));
    }
    const first = conditions[0];
    if (first === undefined) return undefined;
    if (conditions.length === 1) return first.value;
    const level = Math.max(...conditions.map((c) => c.level));
    const key = `and${node.guarded.map((axis) => {
      const index = node.index[axis]!;
      return index.kind === "affine" ? `${affineKey(index.affine)}<${node.shape[axis]!.key}` : "";
    })}${emitter.vector ? numberOf(emitter.vector.axis) : ""}`;
    return named(level, key, () =>
      conditions.slice(1).reduce((all, c) => code.op("i32.and", all, c.value), first.value),
    );
  }

  function clampScalar(level: number, key: string, value: Expr, size: Dim): Expr {
    const low = named(level, `low ${key}`, () =>
      code.select(code.op("i32.lt_s", value, code.int(0)), code.int(0), value),
    );
    const last = code.sub(emitter.size(size), code.int(1));
    return named(level, `clamp ${key}`, () => code.min(low, last));
  }

  function zeroOf(node: Scalar): Expr {
    return node.type === "f32" ? code.float(0) : code.int(0);
  }

  function loadScalar(node: Extract<Scalar, { kind: "load" }>): Expr {
    const { base, offset } = emitter.address(node.buffer, flatOf(node));
    const value = readElement(emitter, node.buffer, base, offset);
    const guard = guardOf(node);
    return guard === undefined ? value : code.either(guard, value, zeroOf(node));
  }

  function computeScalar(node: Scalar): Expr {
    switch (node.kind) {
      case "constant":
        return node.type === "f32" ? code.float(node.value) : code.int(node.value);
      case "index":
        return emitter.index(node.index);
      case "size":
        return emitter.size(node.size);
      case "inside": {
        const all = node.index.map((index, i) => condition(index, node.shape[i]!).value);
        return all.length === 0 ? code.int(1) : all.reduce((a, b) => code.op("i32.and", a, b));
      }
      case "load":
        return loadScalar(node);
      case "result": {
        if (node.stage.place.kind === "tile") {
          const { base, offset } = emitter.address(node.stage.place.buffer, flatOf(node));
          return readElement(emitter, node.stage.place.buffer, base, offset);
        }
        const result = results.get(node.stage);
        if (result === undefined || result.vector)
          throw new InternalError(
            "wasm",
            `a result is read before it is there in ${context.name}`,
            undefined,
          );
        return result.value;
      }
      case "apply":
        return applyScalar(emitter, context.math, node, node.operands.map(emitter.scalar));
    }
  }

  function computeVector(node: Scalar): Expr {
    switch (node.kind) {
      case "index": {
        const step = node.index.terms.find((t) => isVector(t.axis))!.coefficient;
        const known = dim.constantOf(step);
        const steps =
          known !== undefined
            ? emitter.steps(known)
            : code.op("i32x4.mul", emitter.steps(1), code.op("i32x4.splat", emitter.size(step)));
        return code.op("i32x4.add", code.op("i32x4.splat", emitter.index(node.index)), steps);
      }
      case "inside": {
        const masks = node.index.map((index, i) => {
          const size = node.shape[i]!;
          const one: Scalar = { kind: "index", type: "i32", index };
          if (!emitter.varies(one))
            return code.op("i32x4.splat", code.sub(code.int(0), condition(index, size).value));
          return code.op("i32x4.lt_u", computeVector(one), code.op("i32x4.splat", emitter.size(size)));
        });
        return masks.reduce((a, b) => code.op("v128.and", a, b));
      }
      case "load":
        return readVector(emitter, node.buffer, flatOf(node), guardOf(node));
      case "result":
        if (node.stage.place.kind === "tile")
          return readVector(emitter, node.stage.place.buffer, flatOf(node), undefined);
        return results.get(node.stage)!.value;
      case "apply":
        return applyVector(emitter, context.math, node, node.operands.map(emitter.vectorOf));
      case "constant":
      case "size":
        throw new InternalError("wasm", "a constant does not vary", undefined);
    }
  }

  const emitter: Emitter = {
    fn,
    code,
    context,
    vector: undefined,
    guards: true,
    listed: new Map(),
    written,
    level(action) {
      emitter.enter();
      action();
      emitter.leave();
    },
    enter() {
      outer.push({ bindings, results });
      bindings = new Map(bindings);
      results = new Map(results);
      levels.push(newLevel(fn.block));
    },
    leave() {
      levels.pop();
      ({ bindings, results } = outer.pop()!);
    },
    bind(axis, value) {
      bindings.set(axis, { level: value.known === undefined ? top() : 0, value });
    },
    position: (axis) => bindingOf(axis).value,
    size(size) {
      const known = dim.constantOf(size);
      if (known !== undefined) return code.int(known);
      return named(0, `size ${size.key}`, () => sizeCode(code, size, dimLocals));
    },
    index(affine) {
      const value = linear(
        `i${affine.constant.key}`,
        emitter.size(affine.constant),
        affine.terms.map((t) => [t.axis, t.coefficient] as const),
        1,
      );
      const offset = emitter.vector?.offset ?? 0;
      const step = affine.terms.find((t) => isVector(t.axis))?.coefficient;
      return step === undefined || offset === 0
        ? value
        : code.add(value, emitter.size(dim.multiply(step, dim.constant(offset))));
    },
    scalar(node) {
      if (node.kind === "constant") return computeScalar(node);
      const level = levels[levelOf(node)]!;
      let found = level.scalars.get(node);
      if (found === undefined) {
        const value = placed(level, () => computeScalar(node));
        found = value.known !== undefined || "index" in value ? value : fn.keep(value, level.block);
        level.scalars.set(node, found);
      }
      return found;
    },
    vectorOf(node) {
      const varies = emitter.varies(node);
      if (!varies && node.kind === "constant")
        return node.type === "f32"
          ? emitter.splatFloat(node.value)
          : emitter.splatInt(node.type === "bool" ? -node.value : node.value);
      const level = levels[levelOf(node)]!;
      let found = level.vectors.get(node);
      if (found === undefined) {
        let value: Expr;
        if (varies) value = placed(level, () => computeVector(node));
        else {
          const scalar = emitter.scalar(node);
          value =
            node.type === "f32"
              ? code.op("f32x4.splat", scalar)
              : code.op("i32x4.splat", node.type === "bool" ? code.sub(code.int(0), scalar) : scalar);
        }
        found = fn.keep(value, level.block);
        level.vectors.set(node, found);
      }
      return found;
    },
    varies(node) {
      const axis = emitter.vector?.axis;
      const of = dependenciesOf(node);
      if (axis !== undefined && of.axes.has(axis)) return true;
      for (const stage of of.stages) if (results.get(stage)?.vector) return true;
      return false;
    },
    address(buffer, flat) {
      const bytes = bytesOf[buffer.dtype];
      let offset = 0;
      let key = `@${numberOf(buffer)}`;
      let start = emitter.addressOf(buffer);
      const constant = dim.constantOf(flat.constant);
      const rising = [...flat.coefficients.values()].every((c) => (dim.constantOf(c) ?? -1) >= 0);
      if (constant !== undefined && constant >= 0 && rising) offset = constant * bytes;
      else if (constant !== 0) {
        key += `+${flat.constant.key}`;
        const before = start;
        start = named(0, key, () =>
          code.add(before, emitter.size(dim.multiply(flat.constant, dim.constant(bytes)))),
        );
      }
      const more = flat.computed.map(({ value, size, stride }) => {
        const level = levelOf(value);
        const key = `c${numberOf(value)}<${size?.key}`;
        return {
          level,
          key: `${key}*${stride.key}`,
          value: () =>
            code.mul(
              size === undefined
                ? emitter.scalar(value)
                : clampScalar(level, key, emitter.scalar(value), size),
              emitter.size(dim.multiply(stride, dim.constant(bytes))),
            ),
        };
      });
      let base = linear(key, start, flat.coefficients, bytes, more);
      const ahead = emitter.vector?.offset ?? 0;
      const coefficient = emitter.vector && flat.coefficients.get(emitter.vector.axis);
      if (ahead !== 0 && coefficient !== undefined) {
        const known = dim.constantOf(coefficient);
        if (known !== undefined && known >= 0) offset += ahead * known * bytes;
        else base = code.add(base, emitter.size(dim.multiply(coefficient, dim.constant(ahead * bytes))));
      }
      return { base, offset };
    },
    addressOf: (buffer) =>
      named(0, `@${numberOf(buffer)}`, () => {
        const place = sizeCode(code, context.placeOf(buffer), context.maxima);
        const { scratch } = context;
        const own = scratch?.own.get(buffer);
        if (own === undefined) return place;
        return code.add(place, code.mul(scratch!.thread, sizeCode(code, own, context.maxima)));
      }),
    setResult(stage, value, vector) {
      results.set(stage, { value, level: top(), vector });
    },
    splatFloat(value) {
      const key = Object.is(value, -0) ? "-0" : String(value);
      return named(0, `f${key}`, () => code.op("f32x4.splat", code.float(value)));
    },
    splatInt: (value) => named(0, `i${value}`, () => code.op("i32x4.splat", code.int(value))),
    steps(factor) {
      return named(0, `s${factor}`, () => {
        let vector = code.op("i32x4.splat", code.int(0));
        for (let lane = 1; lane < 4; lane++)
          vector = code.withLane("i32x4", vector, lane, code.int(lane * factor));
        return vector;
      });
    },
    keep: (value) =>
      value.known !== undefined || "index" in value
        ? value
        : fn.keep(value, (placing ?? levels[top()]!).block),
    store: (buffer, flat, value) => storeElement(emitter, buffer, flat, value),
    forget(buffers) {
      for (const { scalars, vectors } of levels)
        for (const memo of [scalars, vectors])
          for (const node of memo.keys())
            for (const buffer of dependenciesOf(node).buffers) if (buffers.has(buffer)) memo.delete(node);
    },
    fork() {
      const fork = build(
        fn,
        context,
        dimLocals,
        [...levels],
        new Map(bindings),
        new Map(results),
        new Set(written),
        numberOf,
      );
      fork.guards = emitter.guards;
      fork.listed = emitter.listed;
      return fork;
    },
  };
  return emitter;
}
