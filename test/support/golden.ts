/** Expected texts in test/golden: compared, or with UPDATE=1 in the environment rewritten. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "vitest";

const folder = join(import.meta.dirname, "../golden");

/** `path` is below test/golden. */
export function expectGolden(path: string, text: string): void {
  const file = join(folder, path);
  if (process.env["UPDATE"]) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  expect(existsSync(file), `${path} is missing; run with UPDATE=1 to write it`).toBe(true);
  expect(text, path).toBe(readFileSync(file, "utf8"));
}
