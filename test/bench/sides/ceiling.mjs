// What the machine gives at this moment: the peak of a micro-kernel (6 x 8 accumulators, both panels packed and in the first
// cache, 256 inner positions, unrolled by 4), with relaxed SIMD and without, and the bandwidth of WebAssembly when it copies
// a block and when it adds one up. Written apart from the compiler's own kernels, so that these cannot move their ceiling.

/** Loaded by `start`: the run itself needs the numbers below alone. */
let binaryen;

const rows = 6;
const inner = 256;
const unroll = 4;
const panelA = inner * rows * 4;
const panelB = inner * 8 * 4;
const repeats = 64;

/** Multiplications and additions of one call of `peak`. */
export const peakFlops = repeats * 2 * rows * 8 * inner;

/** A function of i32 parameters in the module, whose body `write` gives as expressions. */
function define(module, name, parameters, locals, write) {
  const { i32, none } = binaryen;
  const type = binaryen.createType(Array(parameters).fill(i32));
  module.addFunction(name, type, none, locals, module.block(null, write(parameters)));
  module.addFunctionExport(name, name);
}

/** `body` as long as the local, counted down by `by`, is not 0. */
function countDown(module, label, local, by, body) {
  const { i32 } = module;
  const get = () => module.local.get(local, binaryen.i32);
  return module.loop(
    label,
    module.block(null, [
      ...body,
      module.local.set(local, i32.sub(get(), i32.const(by))),
      module.br(label, get()),
    ]),
  );
}

/** peak(): 64 times one tile; the panels lie at 0. */
function definePeak(module, relaxed) {
  const { v128, i32, f32x4, local } = module;
  const [a, b, k, times] = [0, 1, 2, 3];
  const [firstSum, firstB, splat] = [4, 4 + 2 * rows, 6 + 2 * rows];
  const vector = (at) => local.get(at, binaryen.v128);
  const madd = (x, y, z) =>
    relaxed
      ? binaryen._BinaryenSIMDTernary(module.ptr, binaryen._BinaryenRelaxedMaddVecF32x4(), x, y, z)
      : f32x4.add(z, f32x4.mul(x, y));
  const pointer = (at) => local.get(at, binaryen.i32);
  const move = (at, by) => local.set(at, i32.add(pointer(at), i32.const(by)));
  const step = (ahead) => [
    ...[0, 1].map((half) => local.set(firstB + half, v128.load(ahead * 32 + half * 16, 16, pointer(b)))),
    ...Array.from({ length: rows }, (_, row) => [
      local.set(splat, v128.load32_splat(ahead * rows * 4 + row * 4, 4, pointer(a))),
      ...[0, 1].map((half) => {
        const sum = firstSum + 2 * row + half;
        return local.set(sum, madd(vector(splat), vector(firstB + half), vector(sum)));
      }),
    ]).flat(),
  ];
  const types = [...Array(4).fill(binaryen.i32), ...Array(2 * rows + 3).fill(binaryen.v128)];
  define(module, "peak", 0, types, () => [
    local.set(times, i32.const(repeats)),
    countDown(module, "repeat", times, 1, [
      local.set(a, i32.const(0)),
      local.set(b, i32.const(panelA)),
      local.set(k, i32.const(inner)),
      countDown(module, "inner", k, unroll, [
        ...Array.from({ length: unroll }, (_, ahead) => step(ahead)).flat(),
        move(a, unroll * rows * 4),
        move(b, unroll * 32),
      ]),
      ...Array.from({ length: 2 * rows }, (_, i) =>
        v128.store(i * 16, 16, i32.const(panelA + panelB), vector(firstSum + i)),
      ),
    ]),
  ]);
}

const line = 128;

/** copy(from, to, bytes) and read(from, bytes), of whole lines of 128 bytes. */
function defineBandwidth(module) {
  const { v128, i32, f32x4, local } = module;
  const pointer = (at) => local.get(at, binaryen.i32);
  const move = (at) => local.set(at, i32.add(pointer(at), i32.const(line)));
  const parts = Array.from({ length: line / 16 }, (_, i) => i);
  define(module, "copy", 3, [], () => [
    countDown(module, "lines", 2, line, [
      ...parts.map((i) => v128.store(i * 16, 16, pointer(1), v128.load(i * 16, 16, pointer(0)))),
      move(0),
      move(1),
    ]),
  ]);
  const sums = parts.map(() => binaryen.v128);
  const sum = (i) => local.get(2 + i, binaryen.v128);
  define(module, "read", 2, sums, () => [
    countDown(module, "lines", 1, line, [
      ...parts.map((i) => local.set(2 + i, f32x4.add(sum(i), v128.load(i * 16, 16, pointer(0))))),
      move(0),
    ]),
    ...parts.map((i) => v128.store(i * 16, 16, i32.const(0), sum(i))),
  ]);
}

/** A module over a memory of so many bytes, and its functions. */
async function instance(bytes, write) {
  const module = new binaryen.Module();
  module.setFeatures(binaryen.Features.All);
  const pages = Math.ceil(bytes / 65536) + 1;
  module.setMemory(pages, pages, "memory");
  write(module);
  const code = module.emitBinary();
  module.dispose();
  const { exports } = (await WebAssembly.instantiate(code)).instance;
  new Float32Array(exports.memory.buffer).fill(1e-3);
  return exports;
}

export async function start() {
  ({ default: binaryen } = await import("binaryen"));
  const relaxed = await instance(panelA + panelB + 1024, (module) => definePeak(module, true));
  const strict = await instance(panelA + panelB + 1024, (module) => definePeak(module, false));
  return {
    /** `traffic`: what is read and written, in bytes */
    async open({ traffic }) {
      const calls = { peak: () => relaxed.peak(), strict: () => strict.peak() };
      if (!traffic) return calls;
      const whole = (bytes) => Math.ceil(bytes / line) * line;
      const moved = whole((traffic.read + traffic.written) / 2);
      const read = whole(traffic.read);
      const memory = await instance(Math.max(2 * moved, read), defineBandwidth);
      return {
        ...calls,
        copy: () => memory.copy(0, moved, moved),
        read: () => memory.read(0, read),
      };
    },
  };
}
