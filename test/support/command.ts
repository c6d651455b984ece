/** Runs the command line as a process, as users do: Node on the sources, in a folder, without colours. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "../source-files.ts";

export interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** `dlmc WORDS` in a folder; the repository's where none is given. */
export function dlmc(words: readonly string[], folder = root): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, "src/cli/main.ts"), ...words], {
      cwd: folder,
      env: { ...process.env, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const parts = { out: "", err: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (parts.out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (parts.err += text));
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, ...parts }));
  });
}

/** The objects of JSON lines. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
