/**
 * random_bits: 24 random bits an element, the same on every machine. Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror,
 * Shaw: Parallel random numbers: as easy as 1, 2, 3; SC 2011): key (seed, the attribute `key`), counter (number of
 * the element / 2, iteration); even elements take the first word, odd ones the second. Elements are counted as if the result
 * went on from that many rows of its first axis, so that rows drawn in several calls are those drawn in one.
 */
import { dimsAttribute, numberAttribute } from "../ir/attribute.ts";
import { constant, product } from "../ir/dim.ts";
import { defineOp } from "../ir/op.ts";
import { affineAdd, affineConstant, affineScale, apply, i32 } from "../ir/scalar.ts";
import { elementCount, tensor } from "../ir/tensor.ts";
import type { Scalar } from "../ir/scalar.ts";

/** The rotations of Threefry-2x32; rounds take them in turn. */
const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const parity = 0x1bd11bda;
const rounds = 20;

/** Both words for a key and a counter, each as a signed 32-bit integer. */
export function threefry(
  key: readonly [number, number],
  counter: readonly [number, number],
): [number, number] {
  const keys = [key[0] | 0, key[1] | 0, parity ^ key[0] ^ key[1]] as const;
  let x = (counter[0] + keys[0]) | 0;
  let y = (counter[1] + keys[1]) | 0;
  for (let round = 0; round < rounds; round++) {
    const by = rotations[round % 8]!;
    x = (x + y) | 0;
    y = ((y << by) | (y >>> (32 - by))) ^ x;
    if (round % 4 !== 3) continue;
    const block = (round + 1) / 4;
    x = (x + keys[block % 3]!) | 0;
    y = (y + keys[(block + 1) % 3]! + block) | 0;
  }
  return [x, y];
}

/** The same as scalar code. */
export function threefryCode(
  key: readonly [Scalar, Scalar],
  counter: readonly [Scalar, Scalar],
): readonly [Scalar, Scalar] {
  const mixed = apply("xor_i32", apply("xor_i32", i32(parity), key[0]), key[1]);
  const keys = [key[0], key[1], mixed] as const;
  let x = apply("add_i32", counter[0], keys[0]);
  let y = apply("add_i32", counter[1], keys[1]);
  for (let group = 1; group <= rounds / 4; group++) {
    for (let i = 0; i < 4; i++) {
      const by = rotations[((group - 1) * 4 + i) % 8]!;
      x = apply("add_i32", x, y);
      const turned = apply(
        "or_i32",
        apply("shift_left", y, i32(by)),
        apply("shift_right_unsigned", y, i32(32 - by)),
      );
      y = apply("xor_i32", turned, x);
    }
    x = apply("add_i32", x, keys[group % 3]!);
    y = apply("add_i32", y, apply("add_i32", keys[(group + 1) % 3]!, i32(group)));
  }
  return [x, y];
}

export const randomBits = defineOp({
  name: "random_bits",
  summary:
    "24 random bits an element, as i32 in [0, 16777216), from seed, key, iteration and the rows before the first: the same on every machine.",
  operands: ["seed", "iteration", "rows"],
  attributes: { key: "tells this use apart from all others, an i32", shape: "sizes of the result" },
  infer(operands, attributes) {
    numberAttribute(attributes, "key");
    const scalars = operands.every((type) => type.dtype === "i32" && type.shape.length === 0);
    if (!scalars) return { mismatch: "seed, iteration and rows must be i32 of rank 0" };
    return [{ dtype: "i32", shape: dimsAttribute(attributes, "shape") }];
  },
  evaluate([seed, iteration, rows], attributes, { results }) {
    const out = tensor("i32", results[0]!.shape);
    const key = [seed!.data[0]!, numberAttribute(attributes, "key")] as const;
    const first = rows!.data[0]! * elementCount(out.shape.slice(1));
    for (let i = 0; i < out.data.length; i++) {
      const words = threefry(key, [(first + i) >>> 1, iteration!.data[0]!]);
      out.data[i] = words[(first + i) & 1]! >>> 8;
    }
    return [out];
  },
  element(context, attributes) {
    const shape = dimsAttribute(attributes, "shape");
    const within: Scalar = {
      kind: "index",
      type: "i32",
      index: shape.reduce(
        (sum, size, axis) => affineAdd(affineScale(sum, size), context.index[axis]!),
        affineConstant(0),
      ),
    };
    const rows = context.read(2, []);
    const isFirst = rows.kind === "constant" && rows.value === 0;
    const before = apply("mul_i32", rows, context.size(product(shape.slice(1))));
    const number = isFirst ? within : apply("add_i32", before, within);
    const [even, odd] = threefryCode(
      [context.read(0, []), i32(numberAttribute(attributes, "key"))],
      [apply("shift_right_unsigned", number, i32(1)), context.read(1, [])],
    );
    const isEven = apply("eq_i32", apply("and_i32", number, i32(1)), i32(0));
    return apply("shift_right_unsigned", apply("select_i32", isEven, even, odd), i32(8));
  },
  gradient: { none: "it is a random integer" },
  examples: [
    {
      // key (0, 0), counter (0, 0) of the authors' known answers: 6b200159 99ba4efe
      operands: [tensor("i32", [], [0]), tensor("i32", [], [0]), tensor("i32", [], [0])],
      attributes: { key: 0, shape: [constant(2)] },
      results: [tensor("i32", [2], [0x6b2001, 0x99ba4e])],
    },
    {
      // the second row of a draw of one column
      operands: [tensor("i32", [], [0]), tensor("i32", [], [0]), tensor("i32", [], [1])],
      attributes: { key: 0, shape: [constant(1), constant(1)] },
      results: [tensor("i32", [1, 1], [0x99ba4e])],
    },
  ],
  cheap: true,
});
