/** Writing files: complete or not at all, and clear words where the system refuses. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { FileError, readBytes, writeFileAtomic } from "../src/files.ts";
import { root } from "./source-files.ts";

const folder = mkdtempSync(join(tmpdir(), "dlm-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

function complaint(run: () => unknown): FileError {
  try {
    run();
  } catch (error) {
    if (error instanceof FileError) return error;
    throw error;
  }
  throw new Error("no error");
}

describe("writeFileAtomic", () => {
  test("makes folders, replaces content, leaves nothing else", () => {
    const path = join(folder, "new", "deep", "a.txt");
    writeFileAtomic(path, "one");
    writeFileAtomic(path, Uint8Array.of(50));
    expect(readFileSync(path, "utf8")).toBe("2");
    expect(readdirSync(join(folder, "new", "deep"))).toEqual(["a.txt"]);
    expect(readBytes(path)).toEqual(Buffer.from("2"));
  });

  test("says why it cannot, keeps what was there and leaves no rest", () => {
    const kept = join(folder, "kept");
    writeFileSync(kept, "old");
    const file = complaint(() => writeFileAtomic(join(kept, "below"), "x"));
    expect(file.message).toMatch(
      /below: cannot be written: (a part of the path is a file, not a folder|a file of this name is in the way)$/,
    );
    mkdirSync(join(folder, "a-folder"));
    expect(complaint(() => writeFileAtomic(join(folder, "a-folder"), "x")).message).toMatch(
      /a-folder: cannot be written: this is a folder, not a file$/,
    );
    expect(complaint(() => readBytes(join(folder, "nothing"))).message).toMatch(
      /nothing: cannot be read: no such file or folder$/,
    );
    expect(readFileSync(kept, "utf8")).toBe("old");
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test.skipIf(process.platform === "win32")("survives a full disk, here a limit on the size of files", () => {
    const path = join(folder, "limited.bin");
    writeFileSync(path, "old");
    const script = `
      import { writeFileAtomic } from ${JSON.stringify(pathToFileURL(join(root, "src", "files.ts")).href)};
      process.on("SIGXFSZ", () => {});
      try { writeFileAtomic(${JSON.stringify(path)}, new Uint8Array(1 << 20)); } catch (error) { console.log(error.code, error.message); }`;
    const result = spawnSync(
      "bash",
      ["-c", `ulimit -f 16; exec "$0" --input-type=module -e "$1"`, process.execPath, script],
      {
        encoding: "utf8",
      },
    );
    expect(result.stdout).toMatch(
      /^EFBIG .*limited\.bin: cannot be written: the file would be larger than the system allows\n$/,
    );
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test.skipIf(process.platform === "win32" || process.getuid?.() === 0)(
    "says that permission is denied",
    () => {
      const closed = join(folder, "closed");
      mkdirSync(closed);
      chmodSync(closed, 0o500);
      expect(complaint(() => writeFileAtomic(join(closed, "a"), "x")).code).toBe("EACCES");
    },
  );
});
