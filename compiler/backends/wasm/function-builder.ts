/** One wasm function while it is written: statements, locals, branches and loops. */
import { InternalError } from "../../ir/internal-error.ts";
import { valueTypes } from "./code.ts";
import type { Code, Expr, Local } from "./code.ts";
import type { ValueType } from "./operations.ts";

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
  setGlobal(name: string, value: Expr): void;
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
    setGlobal(name, value) {
      block.push(module.global.set(name, value.make()));
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
