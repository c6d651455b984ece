/**
 * Typed wasm code over Binaryen. Binaryen's expression references are plain numbers, each to be used once; here an
 * expression is a recipe (`make`) that builds a fresh tree at every use, so using one twice repeats its work and
 * breaks nothing. What is costly and used twice is put into a local by `FunctionBuilder.keep`.
 */
import { InternalError } from "../../ir/internal-error.ts";

export type Binaryen = typeof import("binaryen").default;
export type BinaryenModule = InstanceType<Binaryen["Module"]>;

export type ValueType = "i32" | "f32" | "f64" | "v128";

export interface Expr {
  readonly type: ValueType;
  readonly make: () => number;
  /** the number, where it is a constant */
  readonly known?: number | undefined;
}

export interface Local extends Expr {
  readonly index: number;
}

/** Instructions by their text name; the letters are operand types and result (i i32, f f32, d f64, v v128). */
const operations = {
  "i32.add": "ii:i",
  "i32.sub": "ii:i",
  "i32.mul": "ii:i",
  "i32.div_s": "ii:i",
  "i32.div_u": "ii:i",
  "i32.rem_s": "ii:i",
  "i32.rem_u": "ii:i",
  "i32.and": "ii:i",
  "i32.or": "ii:i",
  "i32.xor": "ii:i",
  "i32.shl": "ii:i",
  "i32.shr_u": "ii:i",
  "i32.shr_s": "ii:i",
  "i32.eq": "ii:i",
  "i32.ne": "ii:i",
  "i32.lt_s": "ii:i",
  "i32.lt_u": "ii:i",
  "i32.le_s": "ii:i",
  "i32.gt_s": "ii:i",
  "i32.ge_s": "ii:i",
  "i32.eqz": "i:i",
  "i32.clz": "i:i",
  "i32.trunc_s_sat.f32": "f:i",
  "i32.trunc_s_sat.f64": "d:i",
  "i32.reinterpret": "f:i",
  "f32.add": "ff:f",
  "f32.sub": "ff:f",
  "f32.mul": "ff:f",
  "f32.div": "ff:f",
  "f32.neg": "f:f",
  "f32.abs": "f:f",
  "f32.sqrt": "f:f",
  "f32.floor": "f:f",
  "f32.eq": "ff:i",
  "f32.ne": "ff:i",
  "f32.lt": "ff:i",
  "f32.le": "ff:i",
  "f32.gt": "ff:i",
  "f32.convert_s.i32": "i:f",
  "f32.reinterpret": "i:f",
  "f32.demote": "d:f",
  "f64.promote": "f:d",
  "f64.add": "dd:d",
  "f64.sub": "dd:d",
  "f64.mul": "dd:d",
  "f64.div": "dd:d",
  "f64.abs": "d:d",
  "f64.nearest": "d:d",
  "f64.trunc": "d:d",
  "f64.eq": "dd:i",
  "f64.ne": "dd:i",
  "f64.lt": "dd:i",
  "f64.gt": "dd:i",
  "f64.min": "dd:d",
  "f64.max": "dd:d",
  "f64.convert_s.i32": "i:d",
  "v128.and": "vv:v",
  "v128.or": "vv:v",
  "v128.xor": "vv:v",
  "v128.andnot": "vv:v",
  "v128.not": "v:v",
  "v128.bitselect": "vvv:v",
  "f32x4.splat": "f:v",
  "f32x4.add": "vv:v",
  "f32x4.sub": "vv:v",
  "f32x4.mul": "vv:v",
  "f32x4.div": "vv:v",
  "f32x4.neg": "v:v",
  "f32x4.abs": "v:v",
  "f32x4.sqrt": "v:v",
  "f32x4.floor": "v:v",
  "f32x4.nearest": "v:v",
  "f32x4.pmin": "vv:v",
  "f32x4.pmax": "vv:v",
  "f32x4.eq": "vv:v",
  "f32x4.ne": "vv:v",
  "f32x4.lt": "vv:v",
  "f32x4.le": "vv:v",
  "f32x4.gt": "vv:v",
  "f32x4.ge": "vv:v",
  "f32x4.convert_i32x4_s": "v:v",
  "i32x4.splat": "i:v",
  "i32x4.add": "vv:v",
  "i32x4.sub": "vv:v",
  "i32x4.mul": "vv:v",
  "i32x4.neg": "v:v",
  "i32x4.min_s": "vv:v",
  "i32x4.max_s": "vv:v",
  "i32x4.eq": "vv:v",
  "i32x4.ne": "vv:v",
  "i32x4.lt_s": "vv:v",
  "i32x4.lt_u": "vv:v",
  "i32x4.le_s": "vv:v",
  "i32x4.shl": "vi:v",
  "i32x4.shr_s": "vi:v",
  "i32x4.shr_u": "vi:v",
  "i32x4.trunc_sat_f32x4_s": "v:v",
  "i16x8.extend_low_i8x16_u": "v:v",
  "i32x4.extend_low_i16x8_u": "v:v",
  "i16x8.narrow_i32x4_u": "vv:v",
  "i8x16.narrow_i16x8_u": "vv:v",
} as const;

export type Operation = keyof typeof operations;

export type Memory = "f32" | "i32" | "u8" | "u16" | "v128" | "v128.splat32" | "v128.zero32";

const typeOfLetter: Readonly<Record<string, ValueType>> = { i: "i32", f: "f32", d: "f64", v: "v128" };

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
      const [letters, result] = operations[operation].split(":") as [string, string];
      if (letters.length !== operands.length)
        throw new InternalError("wasm", `${operation} got ${operands.length} operands`, undefined);
      operands.forEach((operand, i) => expect(operation, operand, typeOfLetter[letters[i]!]!));
      const build = maker(operation);
      return { type: typeOfLetter[result]!, make: () => build(...operands.map((o) => o.make())) };
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

function valueTypes(binaryen: Binaryen): Record<ValueType, number> {
  return { i32: binaryen.i32, f32: binaryen.f32, f64: binaryen.f64, v128: binaryen.v128 };
}

/** An ordered list of statements that may still grow. */
export type Block = number[];

/** One function while it is written. Statements go to the end of the current block. */
export interface FunctionBuilder {
  readonly code: Code;
  readonly parameters: readonly Local[];
  /** the block that is written now */
  readonly block: Block;
  local(type: ValueType): Local;
  set(local: Local, value: Expr): void;
  /** a new local with this value, set in the current block, or at the end of another that is still open */
  keep(value: Expr, block?: Block): Local;
  store(memory: "f32" | "i32" | "u8" | "u16" | "v128", address: Expr, value: Expr, offset?: number): void;
  /** stores the low word of a vector, which need not be aligned */
  storeWord(address: Expr, value: Expr, offset?: number): void;
  call(name: string, operands: readonly Expr[]): void;
  copy(to: Expr, from: Expr, bytes: Expr): void;
  when(condition: Expr, then: () => void, otherwise?: () => void): void;
  /** tests first; the condition is built twice */
  whileLoop(condition: Expr, body: () => void): void;
  /** runs once at least */
  doWhile(condition: Expr, body: () => void): void;
  /** for (i = from; i < to; i += step) */
  count(from: Expr, to: Expr, step: number, body: (i: Local) => void): void;
}

export function defineFunction(
  code: Code,
  name: string,
  parameters: readonly ValueType[],
  result: ValueType | undefined,
  body: (fn: FunctionBuilder) => Expr | undefined,
): void {
  const { module, binaryen } = code;
  const types = valueTypes(binaryen);
  const variables: ValueType[] = [];
  let block: Block = [];
  let labels = 0;

  function collect(action: () => void): number {
    const outer = block;
    const inner: Block = [];
    block = inner;
    action();
    block = outer;
    return inner.length === 1 ? inner[0]! : module.block(null, inner, binaryen.none);
  }

  function makeLocal(type: ValueType, index: number): Local {
    return { type, index, make: () => module.local.get(index, types[type]) };
  }

  const fn: FunctionBuilder = {
    code,
    parameters: parameters.map(makeLocal),
    get block() {
      return block;
    },
    local(type) {
      variables.push(type);
      return makeLocal(type, parameters.length + variables.length - 1);
    },
    set(local, value) {
      if (local.type !== value.type)
        throw new InternalError("wasm", `a local of ${local.type} is set to ${value.type}`, undefined);
      block.push(module.local.set(local.index, value.make()));
    },
    keep(value, into = block) {
      const local = fn.local(value.type);
      into.push(module.local.set(local.index, value.make()));
      return local;
    },
    store(memory, address, value, offset = 0) {
      const at = address.make();
      const made = value.make();
      switch (memory) {
        case "f32":
          block.push(module.f32.store(offset, 4, at, made));
          break;
        case "i32":
          block.push(module.i32.store(offset, 4, at, made));
          break;
        case "u8":
          block.push(module.i32.store8(offset, 1, at, made));
          break;
        case "u16":
          block.push(module.i32.store16(offset, 2, at, made));
          break;
        case "v128":
          block.push(module.v128.store(offset, 4, at, made));
          break;
      }
    },
    storeWord(address, value, offset = 0) {
      block.push(module.v128.store32_lane(offset, 1, 0, address.make(), value.make()));
    },
    call(name, operands) {
      block.push(
        module.call(
          name,
          operands.map((o) => o.make()),
          binaryen.none,
        ),
      );
    },
    copy(to, from, bytes) {
      block.push(module.memory.copy(to.make(), from.make(), bytes.make()));
    },
    when(condition, then, otherwise) {
      if (condition.known !== undefined) {
        if (condition.known) then();
        else otherwise?.();
        return;
      }
      const test = condition.make();
      const first = collect(then);
      block.push(otherwise ? module.if(test, first, collect(otherwise)) : module.if(test, first));
    },
    whileLoop(condition, body) {
      fn.when(condition, () => fn.doWhile(condition, body));
    },
    doWhile(condition, body) {
      const label = `l${labels++}`;
      const loop = collect(() => {
        body();
        block.push(module.br(label, condition.make()));
      });
      block.push(module.loop(label, loop));
    },
    count(from, to, step, body) {
      const i = fn.keep(from);
      fn.whileLoop(code.op("i32.lt_s", i, to), () => {
        body(i);
        fn.set(i, code.add(i, code.int(step)));
      });
    },
  };
  const value = body(fn);
  if (value !== undefined) block.push(value.make());
  module.addFunction(
    name,
    binaryen.createType(parameters.map((p) => types[p])),
    result === undefined ? binaryen.none : types[result],
    variables.map((v) => types[v]),
    block.length === 1
      ? block[0]!
      : module.block(null, block, result === undefined ? binaryen.none : types[result]),
  );
}
