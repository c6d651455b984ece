/**
 * Typed wasm expressions over Binaryen. Binaryen's expression references are plain numbers, each to be used once; here an
 * expression is a recipe (`make`) that builds a fresh tree at every use, so using one twice repeats its work and
 * breaks nothing. What is costly and used twice is put into a local by `FunctionBuilder.keep`
 * (function-builder.ts).
 */
import { InternalError } from "../../ir/internal-error.ts";
import { signatureOf } from "./operations.ts";
import type { Operation, ValueType } from "./operations.ts";

export type Binaryen = typeof import("binaryen").default;
export type BinaryenModule = InstanceType<Binaryen["Module"]>;

export interface Expr {
  readonly type: ValueType;
  readonly make: () => number;
  /** the number, where it is a constant */
  readonly known?: number | undefined;
}

export interface Local extends Expr {
  readonly index: number;
}

export type Memory = "f32" | "i32" | "u8" | "u16" | "v128" | "v128.splat32" | "v128.zero32";

type Maker = (...operands: number[]) => number;

/** Builds expressions of one module. */
export interface Code {
  readonly binaryen: Binaryen;
  readonly module: BinaryenModule;
  readonly relaxed: boolean;
  int(value: number): Expr;
  float(value: number): Expr;
  double(value: number): Expr;
  op(operation: Operation, ...operands: Expr[]): Expr;
  /** i32 arithmetic that folds constants */
  add(a: Expr, b: Expr): Expr;
  sub(a: Expr, b: Expr): Expr;
  mul(a: Expr, b: Expr): Expr;
  min(a: Expr, b: Expr): Expr;
  /** condition ? a : b, both evaluated */
  select(condition: Expr, a: Expr, b: Expr): Expr;
  /** condition ? a : b, one evaluated */
  either(condition: Expr, a: Expr, b: Expr): Expr;
  /** a * b + c; one rounding where relaxed */
  madd(a: Expr, b: Expr, c: Expr): Expr;
  lane(shape: "f32x4" | "i32x4", vector: Expr, lane: number): Expr;
  withLane(shape: "f32x4" | "i32x4", vector: Expr, lane: number, value: Expr): Expr;
  /** picks 4 of the 8 words of two vectors */
  words(a: Expr, b: Expr, lanes: readonly [number, number, number, number]): Expr;
  load(memory: Memory, address: Expr, offset?: number): Expr;
  call(name: string, operands: readonly Expr[], result: ValueType): Expr;
  global(name: string): Expr;
}

export function makeCode(binaryen: Binaryen, module: BinaryenModule, relaxed: boolean): Code {
  const types = valueTypes(binaryen);

  function expect(where: string, operand: Expr, type: ValueType): void {
    if (operand.type !== type)
      throw new InternalError("wasm", `${where} wants ${type} and got ${operand.type}`, undefined);
  }

  function maker(operation: Operation): Maker {
    let at: unknown = module;
    for (const part of operation.split(".")) at = (at as Record<string, unknown>)[part];
    if (typeof at !== "function") throw new InternalError("wasm", `no instruction ${operation}`, undefined);
    return at as Maker;
  }

  const code: Code = {
    binaryen,
    module,
    relaxed,
    int: (value) => ({ type: "i32", known: value | 0, make: () => module.i32.const(value | 0) }),
    float: (value) => ({ type: "f32", make: () => module.f32.const(value) }),
    double: (value) => ({ type: "f64", make: () => module.f64.const(value) }),
    op(operation, ...operands) {
      const { takes, gives } = signatureOf(operation);
      if (takes.length !== operands.length)
        throw new InternalError("wasm", `${operation} got ${operands.length} operands`, undefined);
      operands.forEach((operand, i) => expect(operation, operand, takes[i]!));
      const build = maker(operation);
      return { type: gives, make: () => build(...operands.map((o) => o.make())) };
    },
    add(a, b) {
      if (a.known !== undefined && b.known !== undefined) return code.int(a.known + b.known);
      if (a.known === 0) return b;
      return b.known === 0 ? a : code.op("i32.add", a, b);
    },
    sub(a, b) {
      if (a.known !== undefined && b.known !== undefined) return code.int(a.known - b.known);
      return b.known === 0 ? a : code.op("i32.sub", a, b);
    },
    mul(a, b) {
      if (a.known !== undefined && b.known !== undefined) return code.int(Math.imul(a.known, b.known));
      if (a.known !== undefined) return code.mul(b, a);
      if (b.known === 0) return b;
      if (b.known === 1) return a;
      if (b.known !== undefined && b.known > 0 && (b.known & (b.known - 1)) === 0)
        return code.op("i32.shl", a, code.int(31 - Math.clz32(b.known)));
      return code.op("i32.mul", a, b);
    },
    min(a, b) {
      if (a.known !== undefined && b.known !== undefined) return code.int(Math.min(a.known, b.known));
      return code.select(code.op("i32.lt_s", a, b), a, b);
    },
    select(condition, a, b) {
      expect("select", condition, "i32");
      expect("select", b, a.type);
      return { type: a.type, make: () => module.select(condition.make(), a.make(), b.make()) };
    },
    either(condition, a, b) {
      expect("if", condition, "i32");
      expect("if", b, a.type);
      if (condition.known !== undefined) return condition.known ? a : b;
      return { type: a.type, make: () => module.if(condition.make(), a.make(), b.make()) };
    },
    madd(a, b, c) {
      if (!relaxed) return code.op("f32x4.add", code.op("f32x4.mul", a, b), c);
      for (const operand of [a, b, c]) expect("madd", operand, "v128");
      const raw = binaryen as unknown as {
        _BinaryenSIMDTernary(module: number, op: number, a: number, b: number, c: number): number;
        _BinaryenRelaxedMaddVecF32x4(): number;
      };
      const pointer = (module as unknown as { ptr: number }).ptr;
      const operation = raw._BinaryenRelaxedMaddVecF32x4();
      return {
        type: "v128",
        make: () => raw._BinaryenSIMDTernary(pointer, operation, a.make(), b.make(), c.make()),
      };
    },
    lane(shape, vector, lane) {
      expect("extract_lane", vector, "v128");
      return {
        type: shape === "f32x4" ? "f32" : "i32",
        make: () => module[shape].extract_lane(vector.make(), lane),
      };
    },
    withLane(shape, vector, lane, value) {
      expect("replace_lane", vector, "v128");
      expect("replace_lane", value, shape === "f32x4" ? "f32" : "i32");
      return {
        type: "v128",
        make: () => module[shape].replace_lane(vector.make(), lane, value.make()),
      };
    },
    words(a, b, lanes) {
      const mask = lanes.flatMap((lane) => [4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3]);
      return { type: "v128", make: () => module.i8x16.shuffle(a.make(), b.make(), mask) };
    },
    load(memory, address, offset = 0) {
      expect("load", address, "i32");
      switch (memory) {
        case "f32":
          return { type: "f32", make: () => module.f32.load(offset, 4, address.make()) };
        case "i32":
          return { type: "i32", make: () => module.i32.load(offset, 4, address.make()) };
        case "u8":
          return { type: "i32", make: () => module.i32.load8_u(offset, 1, address.make()) };
        case "u16":
          return { type: "i32", make: () => module.i32.load16_u(offset, 2, address.make()) };
        case "v128":
          return { type: "v128", make: () => module.v128.load(offset, 4, address.make()) };
        case "v128.splat32":
          return { type: "v128", make: () => module.v128.load32_splat(offset, 4, address.make()) };
        case "v128.zero32":
          return { type: "v128", make: () => module.v128.load32_zero(offset, 1, address.make()) };
      }
    },
    call(name, operands, result) {
      return {
        type: result,
        make: () =>
          module.call(
            name,
            operands.map((o) => o.make()),
            types[result],
          ),
      };
    },
    global: (name) => ({ type: "i32", make: () => module.global.get(name, binaryen.i32) }),
  };
  return code;
}

/** Binaryen's numbers for the types. */
export function valueTypes(binaryen: Binaryen): Record<ValueType, number> {
  return { i32: binaryen.i32, f32: binaryen.f32, f64: binaryen.f64, v128: binaryen.v128 };
}
