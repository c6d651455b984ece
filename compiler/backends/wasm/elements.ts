/** Elements of buffers as wasm: conversions of types, neighbours at once where memory allows, lane by lane where not. */
import * as dim from "../../ir/dim.ts";
import type { Buffer } from "../../ir/kernel.ts";
import { bytesOf } from "../../ir/type.ts";
import type { Flat } from "../access.ts";
import type { Expr } from "./code.ts";
import type { Emitter } from "./emitter.ts";

/** One element, as a scalar. */
export function readElement(emitter: Emitter, buffer: Buffer, base: Expr, offset: number): Expr {
  const { code } = emitter;
  switch (buffer.dtype) {
    case "f32":
      return code.load("f32", base, offset);
    case "i32":
      return code.load("i32", base, offset);
    case "u8":
    case "bool":
      return code.load("u8", base, offset);
    case "f16":
      return emitter.context.math.fromHalf(code.load("u16", base, offset));
  }
}

/** Four elements of a buffer whose address varies along the vector axis. */
export function readVector(emitter: Emitter, buffer: Buffer, flat: Flat, guard: Expr | undefined): Expr {
  const { code } = emitter;
  const axis = emitter.vector!.axis;
  const bytes = bytesOf[buffer.dtype];
  const guarded = (value: Expr): Expr =>
    guard === undefined ? value : code.either(guard, value, emitter.splatInt(0));
  if (flat.computed.some((c) => emitter.varies(c.value))) return guarded(readGathered(emitter, buffer, flat));
  const step = dim.constantOf(flat.coefficients.get(axis) ?? dim.zero);
  const { base, offset } = emitter.address(buffer, flat);
  if (step === 1) {
    switch (buffer.dtype) {
      case "f32":
      case "i32":
        return guarded(code.load("v128", base, offset));
      case "u8":
      case "bool": {
        const wide = code.op(
          "i32x4.extend_low_i16x8_u",
          code.op("i16x8.extend_low_i8x16_u", code.load("v128.zero32", base, offset)),
        );
        return guarded(buffer.dtype === "u8" ? wide : code.op("i32x4.neg", wide));
      }
      case "f16":
        break;
    }
  }
  const at = (lane: number): Expr => {
    if (step !== undefined && step >= 0)
      return readElement(emitter, buffer, base, offset + lane * step * bytes);
    const distance = code.mul(
      emitter.size(dim.multiply(flat.coefficients.get(axis)!, dim.constant(bytes))),
      code.int(lane),
    );
    return readElement(emitter, buffer, code.add(base, distance), offset);
  };
  return guarded(fromLanes(emitter, buffer, at));
}

/** A vector of four elements; bool becomes a mask. */
function fromLanes(emitter: Emitter, buffer: Buffer, at: (lane: number) => Expr): Expr {
  const { code } = emitter;
  const float = buffer.dtype === "f32" || buffer.dtype === "f16";
  const shape = float ? "f32x4" : "i32x4";
  let vector = code.op(float ? "f32x4.splat" : "i32x4.splat", at(0));
  for (let lane = 1; lane < 4; lane++) vector = code.withLane(shape, vector, lane, at(lane));
  return buffer.dtype === "bool" ? code.op("i32x4.neg", vector) : vector;
}

/** Addresses of which each lane computes its own. */
function readGathered(emitter: Emitter, buffer: Buffer, flat: Flat): Expr {
  const { code } = emitter;
  const axis = emitter.vector!.axis;
  const bytes = bytesOf[buffer.dtype];
  let offsets: Expr | undefined;
  const still = { ...flat, computed: flat.computed.filter((c) => !emitter.varies(c.value)) };
  const { base, offset } = emitter.address(buffer, still);
  for (const { value, size, stride } of flat.computed) {
    if (!emitter.varies(value)) continue;
    const position = emitter.vectorOf(value);
    const clamped =
      size === undefined
        ? position
        : code.op(
            "i32x4.min_s",
            code.op("i32x4.max_s", position, emitter.splatInt(0)),
            code.op("i32x4.splat", code.sub(emitter.size(size), code.int(1))),
          );
    const scaled = code.op(
      "i32x4.mul",
      clamped,
      code.op("i32x4.splat", emitter.size(dim.multiply(stride, dim.constant(bytes)))),
    );
    offsets = offsets === undefined ? scaled : code.op("i32x4.add", offsets, scaled);
  }
  const coefficient = flat.coefficients.get(axis);
  if (coefficient !== undefined) {
    const step = code.op(
      "i32x4.mul",
      emitter.steps(1),
      code.op("i32x4.splat", emitter.size(dim.multiply(coefficient, dim.constant(bytes)))),
    );
    offsets = code.op("i32x4.add", offsets!, step);
  }
  const addresses = emitter.keep(code.op("i32x4.add", offsets!, code.op("i32x4.splat", base)));
  return fromLanes(emitter, buffer, (lane) =>
    readElement(emitter, buffer, code.lane("i32x4", addresses, lane), offset),
  );
}

/** Stores at an element: a scalar, or four of them in vector mode. */
export function storeElement(emitter: Emitter, buffer: Buffer, flat: Flat, value: Expr): void {
  const { fn, code, context } = emitter;
  const bytes = bytesOf[buffer.dtype];
  const { base, offset } = emitter.address(buffer, flat);
  if (value.type !== "v128") {
    if (buffer.dtype === "f16") fn.store("u16", base, context.math.toHalf(value), offset);
    else if (buffer.dtype === "f32" || buffer.dtype === "i32") fn.store(buffer.dtype, base, value, offset);
    else fn.store("u8", base, value, offset);
    return;
  }
  const coefficient = flat.coefficients.get(emitter.vector!.axis) ?? dim.zero;
  const step = dim.constantOf(coefficient);
  if (step === 1 && (buffer.dtype === "f32" || buffer.dtype === "i32")) {
    fn.store("v128", base, value, offset);
    return;
  }
  if (step === 1 && buffer.dtype !== "f16") {
    const numbers = buffer.dtype === "bool" ? code.op("v128.and", value, emitter.splatInt(1)) : value;
    const low = code.op("v128.and", numbers, emitter.splatInt(255));
    const half = code.op("i16x8.narrow_i32x4_u", low, low);
    fn.storeWord(base, code.op("i8x16.narrow_i16x8_u", half, half), offset);
    return;
  }
  const kept = emitter.keep(value);
  const step4 = emitter.size(dim.multiply(coefficient, dim.constant(bytes)));
  for (let lane = 0; lane < 4; lane++) {
    const at = code.add(base, code.mul(step4, code.int(lane)));
    if (buffer.dtype === "f32") fn.store("f32", at, code.lane("f32x4", kept, lane), offset);
    else if (buffer.dtype === "f16")
      fn.store("u16", at, context.math.toHalf(code.lane("f32x4", kept, lane)), offset);
    else if (buffer.dtype === "i32") fn.store("i32", at, code.lane("i32x4", kept, lane), offset);
    else {
      const number = code.lane("i32x4", kept, lane);
      fn.store("u8", at, buffer.dtype === "bool" ? code.op("i32.and", number, code.int(1)) : number, offset);
    }
  }
}
