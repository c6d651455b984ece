/**
 * Convolutions with windows of 3 x 3 that move by one, and both of their gradients, with 4 products in the place of 9: tiles
 * of 2 x 2 outputs are sums of 16 matrix products between transforms of input and taps (see winograd-matrices.ts). Each
 * is three or four kernels where one was; nothing but kernels, so backends and the reference know nothing of it. Pictures
 * are taken one by one, so that what one needs stays in the second cache.
 */
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import type { Buffer, EntryProgram, Kernel, Stage, Step } from "../ir/kernel.ts";
import {
  affineAdd,
  affineAxis,
  affineConstant,
  affineScale,
  affineSubstitute,
  apply,
  f32,
} from "../ir/scalar.ts";
import type { Affine, Load, LoopAxis, Scalar } from "../ir/scalar.ts";
import { makeInterner, makeNames, rewriter } from "./scalar-walk.ts";
import { target } from "./target.ts";
import {
  inputMatrix,
  outputMatrix,
  sandwich,
  tapMatrix,
  taps,
  tileInputs,
  tileOutputs,
  transposed,
} from "./winograd-matrices.ts";
import type { Square } from "./winograd-matrices.ts";
import { panelsFor, scratchFor, tilesOf, windowOf } from "./winograd-window.ts";
import type { Slide, Window } from "./winograd-window.ts";

const products = tileInputs * tileInputs;

/** The entry with its windows of 3 x 3 as products of transforms, where that pays. */
export function withWinograd(entry: EntryProgram): EntryProgram {
  const visit = (steps: readonly Step[]): Step[] =>
    steps.flatMap((step): Step[] => {
      if (step.kind === "loop") return [{ ...step, steps: visit(step.steps) }];
      const window = step.kind === "kernel" ? windowOf(step.kernel) : undefined;
      if (window === undefined) return [step];
      return window.kind === "rows" ? ofPositions(step.kernel, window) : ofTaps(step.kernel, window);
    });
  return { ...entry, steps: visit(entry.steps) };
}

type Substitution = readonly (readonly [LoopAxis, Affine])[];
/** A scalar with loops replaced; equal results are one node. */
type Substitute = (s: Scalar, by: Substitution) => Scalar;

function substitution(): Substitute {
  const interner = makeInterner(makeNames());
  return (s, by) => {
    const values = new Map(by);
    return rewriter(interner, { affine: (a) => affineSubstitute(a, values) })(s);
  };
}

const axis = (name: string, size: Dim | number): LoopAxis => ({
  name,
  size: typeof size === "number" ? dim.constant(size) : size,
});
const doubled = (a: LoopAxis, more: number): Affine =>
  affineAdd(affineScale(affineAxis(a), tileOutputs), affineConstant(more));
const square = (size: number, element: (down: number, along: number) => Scalar): Square =>
  Array.from({ length: size }, (_, down) => Array.from({ length: size }, (_, along) => element(down, along)));
const load = (buffer: Buffer, index: readonly Affine[]): Load => ({
  kind: "load",
  type: "f32",
  buffer,
  shape: buffer.shape,
  index: index.map((affine) => ({ kind: "affine", affine })),
  guarded: [],
});
const store = (buffer: Buffer, index: readonly Affine[], value: Scalar): Stage => ({
  axes: [],
  over: [],
  combine: undefined,
  value,
  place: { kind: "store", buffer, shape: buffer.shape, index },
});

/** Loops over tiles: of one picture, the `counter` of a loop around the kernels, or of all of them. */
interface Tiles {
  readonly down: LoopAxis;
  readonly along: LoopAxis;
  readonly counter: LoopAxis | undefined;
  /** pictures in the grid of the kernels */
  readonly pictures: readonly LoopAxis[];
  /** the loops that are no more */
  readonly outer: Substitution;
  /** how many, and the number of one */
  readonly count: Dim;
  readonly at: Affine;
}

function tilesFor(window: Window): Tiles {
  const down = axis("tile_row", tilesOf(window.down));
  const along = axis("tile", tilesOf(window.along));
  const [picture] = window.pictures;
  const one = window.pictures.length === 1 ? picture : undefined;
  const counter: LoopAxis | undefined = one && { name: "picture", size: one.size, counter: true };
  const pictures = one ? [] : window.pictures;
  const inOrder = [...pictures, down, along];
  return {
    down,
    along,
    counter,
    pictures,
    outer: one ? [[one, affineAxis(counter!)]] : [],
    count: dim.product(inOrder.map(({ size }) => size)),
    at: inOrder.reduce((at, a) => affineAdd(affineScale(at, a.size), affineAxis(a)), affineConstant(0)),
  };
}

/** [product][tile][channel]; a tile more, so that products do not lie a multiple of 4 KiB apart. */
function transformedBuffer(kernel: Kernel, label: string, tiles: Tiles, channels: Dim): Buffer {
  return scratchFor(kernel, label, [dim.constant(products), dim.add(tiles.count, dim.one), channels]);
}

function storeProducts(buffer: Buffer, values: Square, at: readonly Affine[]): Stage[] {
  return values.flat().map((value, i) => store(buffer, [affineConstant(i), ...at], value));
}

/** The operand at a position of the tile's input, its taps put to 0. */
function inputOf(a: Scalar, window: Window, tiles: Tiles, substitute: Substitute): Square {
  const along = (slide: Slide, tile: LoopAxis, at: number): Substitution => [
    [slide.position, doubled(tile, slide.step > 0 ? at : at - (taps - 1))],
    [slide.tap, affineConstant(0)],
  ];
  return square(tileInputs, (i, j) =>
    substitute(a, [
      ...tiles.outer,
      ...along(window.down, tiles.down, i),
      ...along(window.along, tiles.along, j),
    ]),
  );
}

/** A kernel that stands in the place of this one, with a name that tells its part. */
function partOf(kernel: Kernel, name: string): Pick<Kernel, "name" | "origins" | "contraction"> {
  return { name: `${kernel.name}.${name}`, origins: kernel.origins, contraction: undefined };
}

const stepOf = (kernel: Kernel): Step => ({ kind: "kernel", kernel });

/** The input's tiles, transformed. */
function transformInput(
  kernel: Kernel,
  window: Window,
  tiles: Tiles,
  substitute: Substitute,
): { readonly V: Buffer; readonly inputKernel: Kernel } {
  const { channels } = window;
  const V = transformedBuffer(kernel, "input", tiles, channels.size);
  const input = inputOf(kernel.contraction!.a, window, tiles, substitute);
  return {
    V,
    inputKernel: {
      ...partOf(kernel, "input"),
      grid: [...tiles.pictures, tiles.down, tiles.along, channels],
      stages: storeProducts(V, sandwich(inputMatrix, input), [tiles.at, affineAxis(channels)]),
    },
  };
}

/** The sum of left * right over loops, and the scalar that it is. */
function sumOfProducts(
  left: Scalar,
  right: Scalar,
  over: readonly LoopAxis[],
): { readonly total: Stage; readonly result: Scalar } {
  const value = apply("mul", left, right);
  const total: Stage = { axes: [], over, combine: "sum", value, place: { kind: "register" } };
  return { total, result: { kind: "result", type: "f32", stage: total, index: [] } };
}

/** Outputs are rows: transforms of input and taps, their products, and what they give, behind which the epilogue stands. */
function ofPositions(kernel: Kernel, window: Window): Step[] {
  const { b } = kernel.contraction!;
  const { channels, columns } = window;
  const substitute = substitution();
  const tiles = tilesFor(window);

  // taps, in the order of panels: [product][block of inner][panel][inner][8]
  const inputs = dim.constantOf(channels.size)!;
  const blocks = Math.ceil(inputs / target.innerBlock);
  const panels = dim.constantOf(columns.size)! / target.tileColumns;
  const panelLoops = {
    block: axis("block", blocks),
    panel: axis("panel", panels),
    inner: axis("inner", inputs / blocks),
    column: axis("column", target.tileColumns),
  };
  const { block, panel, inner, column } = panelLoops;
  const channel = affineAdd(affineScale(affineAxis(block), inner.size), affineAxis(inner));
  const outputColumn = affineAdd(affineScale(affineAxis(panel), target.tileColumns), affineAxis(column));
  const U = scratchFor(kernel, "taps", [
    dim.constant(products),
    ...[block, panel, inner, column].map(({ size }) => size),
  ]);
  const inPanels = [block, panel, inner, column].map(affineAxis);
  const tapAt = (slide: Slide, at: number): Substitution => [
    [slide.tap, affineConstant(slide.step > 0 ? at : taps - 1 - at)],
  ];
  const tapsOf = square(taps, (i, j) =>
    substitute(b, [
      [channels, channel],
      [columns, outputColumn],
      ...tapAt(window.down, i),
      ...tapAt(window.along, j),
    ]),
  );
  const tapKernel: Kernel = {
    ...partOf(kernel, "taps"),
    grid: [block, panel, inner, column],
    stages: storeProducts(U, sandwich(tapMatrix, tapsOf), inPanels),
  };

  const { V, inputKernel } = transformInput(kernel, window, tiles, substitute);
  const M = transformedBuffer(kernel, "products", tiles, columns.size);
  const product = axis("product", products);
  const tile = axis("tile", tiles.count);
  const left = load(V, [affineAxis(product), affineAxis(tile), channel]);
  const right = load(U, [affineAxis(product), ...inPanels]);
  const { total, result } = sumOfProducts(left, right, [block, inner]);
  const productKernel: Kernel = {
    ...partOf(kernel, "products"),
    grid: [product, tile, panel, column],
    stages: [total, store(M, [affineAxis(product), affineAxis(tile), outputColumn], result)],
    contraction: {
      batch: [product],
      rows: [tile],
      columns: [panel, column],
      inner: [block, inner],
      a: left,
      b: right,
      ...panelsFor(kernel, tiles.count, columns.size, channels.size),
      panelB: U,
      prepacked: true,
    },
  };

  const outputs = sandwich(
    outputMatrix,
    square(tileInputs, (i, j) =>
      load(M, [affineConstant(i * tileInputs + j), tiles.at, affineAxis(columns)]),
    ),
  );
  const outputKernel: Kernel = {
    ...partOf(kernel, "output"),
    name: kernel.name,
    grid: [...tiles.pictures, tiles.down, tiles.along, columns],
    stages: outputs.flatMap((line, i) =>
      line.flatMap((output, j) =>
        epilogueWith(kernel, output, [
          ...tiles.outer,
          [window.down.position, doubled(tiles.down, i)],
          [window.along.position, doubled(tiles.along, j)],
        ]),
      ),
    ),
  };
  const steps = [inputKernel, productKernel, outputKernel].map(stepOf);
  return [stepOf(tapKernel), ...inLoop(tiles, steps, [V, M])];
}

/** The stages behind the sum, at other positions and with this in its place. */
function epilogueWith(kernel: Kernel, sum: Scalar, by: Substitution): Stage[] {
  const values = new Map(by);
  const affine = (a: Affine): Affine => affineSubstitute(a, values);
  const [first, ...epilogue] = kernel.stages;
  const rewrite = rewriter(makeInterner(makeNames()), {
    affine,
    node: (s) => (s.kind === "result" && s.stage === first ? sum : s),
  });
  return epilogue.map((stage) => ({
    ...stage,
    value: rewrite(stage.value),
    place:
      stage.place.kind === "store" ? { ...stage.place, index: stage.place.index.map(affine) } : stage.place,
  }));
}

/** `own`: what each picture needs for itself, where pictures have nothing else to do with each other. */
function inLoop({ counter }: Tiles, steps: readonly Step[], own?: readonly Buffer[]): readonly Step[] {
  return counter === undefined ? steps : [{ kind: "loop", counter, steps, ...(own && { own }) }];
}

/** Taps are rows (their gradient): products over all tiles of transforms of the input and of what came behind. */
function ofTaps(kernel: Kernel, window: Window): Step[] {
  const { b } = kernel.contraction!;
  const { channels, columns } = window;
  const substitute = substitution();
  const tiles = tilesFor(window);
  const { V, inputKernel } = transformInput(kernel, window, tiles, substitute);
  const Z = transformedBuffer(kernel, "outputs", tiles, columns.size);
  const cotangents = square(tileOutputs, (i, j) =>
    substitute(b, [
      ...tiles.outer,
      [window.down.position, doubled(tiles.down, i)],
      [window.along.position, doubled(tiles.along, j)],
    ]),
  );
  const cotangentKernel: Kernel = {
    ...partOf(kernel, "outputs"),
    grid: [...tiles.pictures, tiles.down, tiles.along, columns],
    stages: storeProducts(Z, sandwich(transposed(outputMatrix), cotangents), [tiles.at, affineAxis(columns)]),
  };

  const product = axis("product", products);
  const tile = axis("tile", tiles.count);
  const sums = scratchFor(kernel, "sums", [dim.constant(products), channels.size, columns.size]);
  const place = [product, channels, columns].map(affineAxis);
  const left = load(V, [product, tile, channels].map(affineAxis));
  const right = load(Z, [product, tile, columns].map(affineAxis));
  const { total, result } = sumOfProducts(left, right, [tile]);
  const gathered = tiles.counter === undefined ? result : apply("add", result, load(sums, place));
  const productKernel: Kernel = {
    ...partOf(kernel, "products"),
    grid: [product, channels, columns],
    stages: [total, store(sums, place, gathered)],
    contraction: {
      batch: [product],
      rows: [channels],
      columns: [columns],
      inner: [tile],
      a: left,
      b: right,
      ...panelsFor(kernel, channels.size, columns.size, tiles.count),
      prepacked: false,
    },
  };
  const zeroKernel: Kernel = {
    ...partOf(kernel, "zero"),
    grid: [product, channels, columns],
    stages: [store(sums, place, f32(0))],
  };
  const gradients = sandwich(
    transposed(tapMatrix),
    square(tileInputs, (i, j) =>
      load(sums, [affineConstant(i * tileInputs + j), affineAxis(channels), affineAxis(columns)]),
    ),
  );
  const outputKernel: Kernel = {
    ...partOf(kernel, "gradient"),
    name: kernel.name,
    grid: [channels, columns],
    stages: gradients.flatMap((line, i) =>
      line.flatMap((gradient, j) =>
        epilogueWith(kernel, gradient, [
          [window.down.tap, affineConstant(i)],
          [window.along.tap, affineConstant(j)],
        ]),
      ),
    ),
  };
  const inside = inLoop(tiles, [inputKernel, cotangentKernel, productKernel].map(stepOf));
  return [...(tiles.counter === undefined ? [] : [stepOf(zeroKernel)]), ...inside, stepOf(outputKernel)];
}
