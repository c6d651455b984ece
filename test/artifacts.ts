/** A small artifact made by hand, for tests of its reader and of the runtime: y = w x + b, row by row. */
import { formatNumber, type Manifest, type TensorEntry, writeArtifact } from "../runtime/artifact.ts";

const rows = [[[1, ["B"]]], [[1, []]]] as const;

/**
 * Bytes 0..1023 are shared: seed at 0, step at 4, rate_factor at 8, w at 256, b at 260, state `seen` at 264, optimizer.m
 * at 268, and 2 w of prepare at 512. The arena begins at 1024; a tensor of B numbers takes 256 B bytes.
 */
const wat = `(module
  (import "env" "memory" (memory 0 65536))
  (global $max (export "max_B") (mut i32) (i32.const 0))
  (func $y (result i32) (i32.add (i32.const 1024) (i32.mul (global.get $max) (i32.const 256))))
  (func $loss (result i32) (i32.add (call $y) (i32.mul (global.get $max) (i32.const 256))))
  (func (export "init")
    (f32.store (i32.const 256) (f32.convert_i32_s (i32.load (i32.const 0))))
    (f32.store (i32.const 260) (f32.const 0.5)))
  (func (export "prepare")
    (f32.store (i32.const 512) (f32.mul (f32.const 2) (f32.load (i32.const 256))))
    (f32.store (i32.const 516) (f32.add (f32.const 1) (f32.load (i32.const 516)))))
  (func (export "infer") (param $B i32) (local $i i32)
    (loop $next
      (f32.store (i32.add (call $y) (i32.mul (local.get $i) (i32.const 4)))
        (f32.add (f32.load (i32.const 260))
          (f32.mul (f32.mul (f32.const 0.5) (f32.load (i32.const 512)))
            (f32.load (i32.add (i32.const 1024) (i32.mul (local.get $i) (i32.const 4)))))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $B)))))
  (func (export "train") (param $B i32)
    (if (f32.eq (f32.load (i32.const 1024)) (f32.const 13)) (then (unreachable)))
    (f32.store (call $loss) (f32.load (i32.const 1024)))
    (f32.store (i32.add (call $loss) (i32.const 4)) (f32.load (i32.const 4)))
    (i32.store (i32.add (call $loss) (i32.const 8)) (f32.ge (f32.load (i32.const 1024)) (f32.const 0)))
    (if (f32.ge (f32.load (i32.const 1024)) (f32.const 0))
      (then
        (f32.store (i32.const 264) (f32.add (f32.const 1) (f32.load (i32.const 264))))
        (f32.store (i32.const 268) (f32.load (i32.const 8)))
        (f32.store (i32.const 256) (f32.sub (f32.load (i32.const 256)) (f32.load (i32.const 8))))))))`;

/** The module alone, without a manifest. */
export async function handMadeModule(): Promise<Uint8Array> {
  const { default: binaryen } = await import("binaryen");
  const module = binaryen.parseText(wat);
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

const scalar = (name: string, dtype: TensorEntry["dtype"], offset: number): TensorEntry => ({
  name,
  dtype,
  shape: [],
  offset: [[offset, []]],
  doc: `${dtype}[]`,
});
const output = (name: string, dtype: TensorEntry["dtype"], at: number): TensorEntry => ({
  ...scalar(name, dtype, 0),
  offset: [
    [1024 + at, []],
    [512, ["B"]],
  ],
});
const x: TensorEntry = { name: "x", dtype: "f32", shape: rows, offset: [[1024, []]], doc: "f32[B, 1]" };
const y: TensorEntry = {
  name: "y",
  dtype: "f32",
  shape: rows,
  offset: [
    [1024, []],
    [256, ["B"]],
  ],
  doc: "f32[B, 1]",
};
const dims = [{ name: "B", max: null, default: 4, global: "max_B" }];
const bytes = [
  [2048, []],
  [512, ["B"]],
] as const;
const alone = { dims: [], inputs: [], outputs: [], rows: false, bytes: [[1024, []]] } as const;

export const handMadeManifest: Omit<Manifest, "digest"> = {
  format: formatNumber,
  name: "line",
  compiler: "by hand",
  hashes: { weights: "w", program: "p" },
  relaxed: false,
  sharedBytes: 1024,
  weights: [
    { path: "w", dtype: "f32", shape: [], offset: 256 },
    { path: "b", dtype: "f32", shape: [1], offset: 260 },
  ],
  states: [{ path: "seen", dtype: "f32", shape: [], offset: 264 }],
  optimizer: [{ path: "optimizer.m", dtype: "f32", shape: [], offset: 268 }],
  entries: [
    { ...alone, name: "init", export: "init", control: [scalar("seed", "i32", 0)] },
    { ...alone, name: "prepare", export: "prepare", control: [] },
    { name: "infer", export: "infer", dims, inputs: [x], outputs: [y], control: [], rows: true, bytes },
    {
      name: "train",
      export: "train",
      dims,
      inputs: [x],
      outputs: [output("loss", "f32", 0), output("gradient_norm", "f32", 4), output("status", "i32", 8)],
      control: [scalar("step", "f32", 4), scalar("rate_factor", "f32", 8)],
      rows: false,
      bytes,
    },
  ],
};

/** The artifact; `change` alters the manifest before it is sealed. */
export async function handMadeArtifact(
  change: (manifest: Omit<Manifest, "digest">) => Omit<Manifest, "digest"> = (manifest) => manifest,
): Promise<Uint8Array<ArrayBuffer>> {
  return writeArtifact(await handMadeModule(), change(handMadeManifest));
}

/** A safetensors file of f32 tensors. */
export function safetensors(
  tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: readonly number[] }>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  let end = 0;
  const header = Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) => {
      const start = end;
      end += data.length * 4;
      return [name, { dtype: "F32", shape, data_offsets: [start, end] }];
    }),
  );
  const json = new TextEncoder().encode(
    JSON.stringify({ ...(metadata && { __metadata__: metadata }), ...header }),
  );
  const bytes = new Uint8Array(8 + json.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  const data = Float32Array.from(Object.values(tensors).flatMap((tensor) => tensor.data));
  bytes.set(new Uint8Array(data.buffer), 8 + json.length);
  return bytes;
}
