/** The version of the package, read from its package.json. */
import { readFileSync } from "node:fs";

function packageFile(): { version: string } {
  for (const up of ["../package.json", "../../package.json"]) {
    try {
      return JSON.parse(readFileSync(new URL(up, import.meta.url), "utf8")) as { version: string };
    } catch {
      // built output lies one folder deeper than the sources
    }
  }
  return { version: "unknown" };
}

export const version: string = packageFile().version;
