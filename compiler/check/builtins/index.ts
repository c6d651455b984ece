/** All builtins by name, and the words that stand for themselves. */
import type { Builtin } from "./builtin.ts";
import { elementwiseBuiltins } from "./elementwise.ts";
import { marginBuiltins } from "./margins.ts";
import { randomBuiltins } from "./random.ts";
import { reductionBuiltins } from "./reductions.ts";
import { sequenceBuiltins } from "./sequences.ts";
import { shapeBuiltins } from "./shapes.ts";
import { tokenBuiltins } from "./tokens.ts";
import { windowBuiltins } from "./windows.ts";

let table: ReadonlyMap<string, Builtin> | undefined;

/** Made on first use: these files and the evaluator import each other. */
export const builtins: Pick<ReadonlyMap<string, Builtin>, "get" | "keys"> = {
  get: (name) => all().get(name),
  keys: () => all().keys(),
};

function all(): ReadonlyMap<string, Builtin> {
  table ??= new Map(
    [
      ...elementwiseBuiltins,
      ...reductionBuiltins,
      ...shapeBuiltins,
      ...marginBuiltins,
      ...randomBuiltins,
      ...tokenBuiltins,
      ...sequenceBuiltins,
      ...windowBuiltins,
    ].map((builtin) => [builtin.name, builtin]),
  );
  return table;
}

/** How a window that slides over an image treats the border. */
export const words: ReadonlySet<string> = new Set(["same", "same_upper", "valid"]);
