/**
 * Packs b: [block of inner][column / 8][inner within the block][8], so that what one block of inner reads lies together.
 * Columns past the end repeat the last one or are 0.
 */
import * as dim from "../../ir/dim.ts";
import type { Contraction } from "../../ir/kernel.ts";
import type { Expr } from "./code.ts";
import type { Emitter, EntryContext } from "./emitter.ts";
import { tileColumns } from "./micro-kernel.ts";
import { bindLoop, inLanes, vectorLoop } from "./nest.ts";
import type { Emitters } from "./nest.ts";
import { bindAll, defineForBatch, guardedOn, runLength, takeApart, viewOf, walkRuns } from "./panels.ts";
import type { View } from "./panels.ts";

/** What one call packs: up to 8 columns, a block of inner positions, to an address. */
const pieceParameters = ["column0", "columns", "k0", "k", "to"] as const;
type Piece = Readonly<Record<(typeof pieceParameters)[number], Expr>>;

/** name(batch..., column0, columns, k0, k, to, dims...) */
export function definePackB(context: EntryContext, contraction: Contraction, name: string): void {
  const view = viewOf(contraction.b, contraction.columns, contraction.inner);
  defineForBatch(context, contraction, name, pieceParameters, (emitter, piece) => {
    const { fn, code } = emitter;
    const last = view.outer.at(-1);
    const together =
      last !== undefined &&
      runLength(view, view.outer) >= tileColumns &&
      !guardedOn(view, last) &&
      (view.outer.length === 1 || (dim.constantOf(last.size) ?? 1) % tileColumns === 0);
    if (together) {
      const full = code.op("i32.eq", piece.columns, code.int(tileColumns));
      fn.when(
        full,
        () => packTogether(emitter, view, piece),
        () => packSingly(emitter, view, piece),
      );
    } else if (runLength(view, view.inner) >= 4 && !view.outer.some((loop) => guardedOn(view, loop)))
      packTransposed(emitter, view, piece);
    else packSingly(emitter, view, piece);
  });
}

/** 8 neighbouring columns are 8 neighbours in memory. */
function packTogether(emitter: Emitter, view: View, piece: Piece): void {
  const { fn, code } = emitter;
  const last = view.outer.at(-1)!;
  emitter.enter();
  const values = takeApart(emitter, view.outer, piece.column0);
  bindAll(emitter, view.outer, values);
  const at = fn.keep(piece.to);
  const store = (emitters: Emitters): void => {
    emitters.forEach((each, half) => fn.store("v128", at, each.vectorOf(view.value), 16 * half));
    fn.set(at, code.add(at, code.int(4 * tileColumns)));
  };
  const lanes = inLanes([emitter], last, values.at(-1)!, 2);
  const inner = view.inner.at(-1);
  if (inner === undefined) store(lanes);
  else
    walkRuns(lanes, view.inner, piece.k0, piece.k, (from, to) =>
      fn.count(from, to, 1, (i) => {
        for (const each of lanes) {
          each.enter();
          bindLoop(each, inner, i);
        }
        store(lanes);
        for (const each of lanes) each.leave();
      }),
    );
  emitter.leave();
}

/** Memory runs along inner: four positions of eight columns are read, and turned. */
function packTransposed(emitter: Emitter, view: View, piece: Piece): void {
  const { fn, code } = emitter;
  const { column0, columns } = piece;
  const end = fn.keep(code.add(column0, code.sub(columns, code.int(1))));
  const each = Array.from({ length: tileColumns }, (_, q) => {
    const fork = emitter.fork();
    fork.enter();
    const column = fn.keep(code.min(fn.keep(code.add(column0, code.int(q))), end));
    bindAll(fork, view.outer, takeApart(fork, view.outer, column));
    return fork;
  }) as unknown as Emitters;
  const line = fn.keep(piece.to);
  const loop = view.inner.at(-1)!;
  const words = (a: Expr, b: Expr, lanes: readonly [number, number, number, number]): Expr =>
    fn.keep(code.words(a, b, lanes));
  walkRuns(each, view.inner, piece.k0, piece.k, (from, to) => {
    const start = fn.keep(code.sub(line, code.mul(from, code.int(32))));
    vectorLoop(
      each,
      { loop, from, to, whole: false, guards: view.reads.guards, copies: 1 },
      (lanes, emitters) => {
        const here = fn.keep(code.add(start, code.mul(emitters[0].position(loop.axis), code.int(32))));
        if (lanes === 1) {
          emitters.forEach((e, q) => fn.store("f32", here, e.scalar(view.value), 4 * q));
          return;
        }
        for (let half = 0; half < 2; half++) {
          const [v0, v1, v2, v3] = [0, 1, 2, 3].map((q) => emitters[4 * half + q]!.vectorOf(view.value)) as [
            Expr,
            Expr,
            Expr,
            Expr,
          ];
          const low = [words(v0, v1, [0, 4, 1, 5]), words(v2, v3, [0, 4, 1, 5])] as const;
          const high = [words(v0, v1, [2, 6, 3, 7]), words(v2, v3, [2, 6, 3, 7])] as const;
          [
            words(low[0], low[1], [0, 1, 4, 5]),
            words(low[0], low[1], [2, 3, 6, 7]),
            words(high[0], high[1], [0, 1, 4, 5]),
            words(high[0], high[1], [2, 3, 6, 7]),
          ].forEach((row, i) => fn.store("v128", here, row, 32 * i + 16 * half));
        }
      },
    );
    fn.set(line, code.add(start, code.mul(to, code.int(32))));
  });
}

/** Element by element: what is scattered, guarded along columns, or narrower than a panel. */
function packSingly(emitter: Emitter, view: View, { column0, columns, k0, k, to }: Piece): void {
  const { fn, code } = emitter;
  emitter.enter();
  fn.count(code.int(0), code.int(tileColumns), 1, (q) => {
    emitter.enter();
    const last = code.sub(columns, code.int(1));
    const column = fn.keep(code.add(column0, code.min(q, last)));
    bindAll(emitter, view.outer, takeApart(emitter, view.outer, column));
    const at = fn.keep(code.add(to, code.mul(q, code.int(4))));
    const inner = view.inner.at(-1);
    const store = (): void => {
      fn.store("f32", at, emitter.scalar(view.value));
      fn.set(at, code.add(at, code.int(4 * tileColumns)));
    };
    if (inner === undefined) store();
    else
      walkRuns([emitter], view.inner, k0, k, (from, until) =>
        fn.count(from, until, 1, (i) => {
          emitter.enter();
          bindLoop(emitter, inner, i);
          store();
          emitter.leave();
        }),
      );
    emitter.leave();
  });
  emitter.leave();
}
