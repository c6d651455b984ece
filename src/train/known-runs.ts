/** Runs below the current folder whose weights a model can take: for help where none were named. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { shownPath } from "../files.ts";

/** Where `dlmc train` puts its runs. */
export const runsFolder = "runs";

/** The weight files of runs of models with these weights (their hash in the manifest), newest first. */
function knownRuns(weightsHash: string): string[] {
  if (!existsSync(runsFolder)) return [];
  return readdirSync(runsFolder)
    .flatMap((name) => {
      const folder = join(runsFolder, name);
      const file = ["best.safetensors", "last.safetensors"]
        .map((each) => join(folder, each))
        .find((each) => existsSync(each));
      if (file === undefined || weightsOf(join(folder, "config.json")) !== weightsHash) return [];
      return [{ file, modified: statSync(file).mtimeMs }];
    })
    .sort((a, b) => b.modified - a.modified)
    .map(({ file }) => file);
}

/** The hash that a run's configuration states; undefined where it cannot be read, which is no mistake here. */
function weightsOf(path: string): unknown {
  try {
    return (JSON.parse(readFileSync(path, "utf8")) as { readonly weights?: unknown } | null)?.weights;
  } catch {
    return undefined;
  }
}

/** The command with weights, to be typed as it stands: those of the newest run, or how to come by some. */
export function weightsHelp(command: string, program: string, weightsHash: string): string {
  const [newest, ...others] = knownRuns(weightsHash);
  if (newest === undefined)
    return `dlmc train ${shownPath(program)} makes some, ${command} --weights FILE takes them`;
  const also = others.slice(0, 3).map(shownPath).join(", ");
  return `${command} --weights ${shownPath(newest)}${also === "" ? "" : `\n      there is also ${also}`}${others.length > 3 ? ", …" : ""}`;
}
