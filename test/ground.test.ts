/** The ground that everything stands on: generated modules, what package.json promises, how .ci/run counts. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { librarySources } from "../compiler/library/sources.ts";
import { runtimeText } from "../src/emit/runtime-text.ts";
import { filesBelow, root } from "./source-files.ts";

const folder = mkdtempSync(join(tmpdir(), "dlm-ground-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface PackageFile {
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
}
const packageFile = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as PackageFile;

describe("generated modules", () => {
  test("the library module holds every file of the library, as it is", () => {
    const files = filesBelow("compiler/library", ".dlm").map(({ path, text }) => [
      path.slice("compiler/library/".length, -".dlm".length),
      text,
    ]);
    expect(files.length).toBeGreaterThan(0);
    expect(librarySources).toEqual(Object.fromEntries(files));
  });

  test("the runtime is one module without imports, and as small as an app wants it", async () => {
    expect(runtimeText).not.toMatch(/\bimport\b\s*[{*"'a-z]/);
    const runtime = (await import(`data:text/javascript,${encodeURIComponent(runtimeText)}`)) as object;
    expect(Object.keys(runtime).length).toBeGreaterThan(0);
    expect(runtimeText.length).toBeLessThan(40_000);
  });
});

describe("package.json", () => {
  test("pins every version exactly", () => {
    const versions = { ...packageFile.dependencies, ...packageFile.devDependencies };
    expect(Object.entries(versions).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  test("names a command line that comes out of src/cli", () => {
    expect(packageFile.bin["dlmc"]).toBe(".build/bin/dlmc.js");
    expect(readFileSync(join(root, "src", "cli", "main.ts"), "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
  });
});

describe(".ci/run", () => {
  const passed = {
    status: "passed",
    name: "a.test.ts",
    message: "",
    assertionResults: [{ status: "passed" }],
  };
  const unread = { status: "failed", name: "b.test.ts", message: "cannot be read", assertionResults: [] };
  const failed = { ...unread, assertionResults: [{ status: "failed" }] };

  test.each([
    [
      "all passed",
      { numPassedTests: 7, numFailedTests: 0, testResults: [passed] },
      ["0", "0"],
      "7 passed, 0 failed",
      0,
    ],
    [
      "some failed",
      { numPassedTests: 7, numFailedTests: 2, testResults: [failed] },
      ["0", "1"],
      "7 passed, 2 failed",
      1,
    ],
    [
      "an unreadable file",
      { numPassedTests: 7, numFailedTests: 0, testResults: [unread] },
      ["0", "1"],
      "7 passed, 1 failed",
      1,
    ],
    [
      "no test at all",
      { numPassedTests: 0, numFailedTests: 0, testResults: [] },
      ["0", "0"],
      "0 passed, 1 failed",
      1,
    ],
    [
      "an error outside of tests",
      { numPassedTests: 7, numFailedTests: 0, testResults: [] },
      ["0", "1"],
      "7 passed, 1 failed",
      1,
    ],
    [
      "a failed quickstart",
      { numPassedTests: 7, numFailedTests: 0, testResults: [] },
      ["1", "0"],
      "7 passed, 1 failed",
      1,
    ],
  ])("counts %s", (_, report, outcomes, line, status) => {
    const path = join(folder, "report.json");
    writeFileSync(path, JSON.stringify({ numPendingTests: 0, ...report }));
    const result = spawnSync(process.execPath, [join(root, ".ci", "count.mjs"), path, ...outcomes], {
      encoding: "utf8",
    });
    expect(result.stdout.trimEnd().split("\n").at(-1)).toBe(line);
    expect(result.status).toBe(status);
  });
});
