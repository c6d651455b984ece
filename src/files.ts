/** Files as the tools write them: complete under their name or not there at all. */
import { randomUUID } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";

/** A file that could not be read or written, in the user's words; `code` is the system's (ENOSPC, EACCES, ...). */
export class FileError extends Error {
  readonly path: string;
  readonly code: string;
  /** the message without the path */
  readonly reason: string;

  constructor(reason: string, path: string, code: string) {
    super(`${shownPath(path)}: ${reason}`);
    this.name = "FileError";
    this.path = path;
    this.code = code;
    this.reason = reason;
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EDQUOT: "the disk quota is used up",
  EEXIST: "a file of this name is in the way",
  EFBIG: "the file would be larger than the system allows",
  EIO: "the disk reported an error",
  EISDIR: "this is a folder, not a file",
  EMFILE: "too many files are open",
  ENAMETOOLONG: "the name is too long",
  ENOENT: "no such file or folder",
  ENOSPC: "no space is left on the disk",
  ENOTDIR: "a part of the path is a file, not a folder",
  EPERM: "not permitted",
  EROFS: "the disk is read-only",
  ETXTBSY: "the file is in use",
};

/** The error of a system call on `path` as a FileError; anything else is thrown on as it is. */
export function fileError(error: unknown, path: string, doing: string): FileError {
  const code = (error as { code?: unknown }).code;
  if (typeof code !== "string") throw error;
  return new FileError(`cannot be ${doing}: ${reasons[code] ?? code}`, path, code);
}

/** Relative to the current folder where it lies below it, with forward slashes. */
export function shownPath(path: string): string {
  const below = relative(process.cwd(), path);
  const shown = below === "" || below.startsWith("..") || isAbsolute(below) ? path : below;
  return shown.split(sep).join("/");
}

/** Errors: FileError. */
export function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw fileError(error, path, "read");
  }
}

/** UTF-8. Errors: FileError. */
export function readText(path: string): string {
  return new TextDecoder().decode(readBytes(path));
}

/** The folder and those it lies in. Errors: FileError. */
export function makeFolder(path: string): void {
  try {
    makeFolders(path);
  } catch (error) {
    throw fileError(error, path, "made");
  }
}

/** Node's own `recursive` does not come back where the system lets no folder be made, such as below /proc. */
function makeFolders(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === "EEXIST" && statSync(path).isDirectory()) return;
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    makeFolders(dirname(path));
    mkdirSync(path);
  }
}

/**
 * Writes a file so that, whenever the process or the machine stops, the name holds the old content or the new one:
 * a temporary name beside it, the bytes on the disk, then a rename. Folders on the way are made. Errors: FileError;
 * what was there stays.
 */
export function writeFileAtomic(path: string, content: Uint8Array | string): void {
  writeFilesAtomic([[path, content]]);
}

/**
 * Writes files that belong together: all of their bytes are on the disk before the first one gets its name, so that a
 * full disk leaves the old ones together. They are renamed in the order given. Errors: FileError.
 */
export function writeFilesAtomic(
  files: readonly (readonly [path: string, content: Uint8Array | string])[],
): void {
  const temporaries: string[] = [];
  try {
    for (const [path, content] of files) temporaries.push(writeTemporary(path, content));
    files.forEach(([path], i) => {
      try {
        renameSync(temporaries[i]!, path);
      } catch (error) {
        throw fileError(error, path, "written");
      }
    });
  } catch (error) {
    for (const each of temporaries) rmSync(each, { force: true });
    throw error;
  }
  for (const folder of new Set(files.map(([path]) => dirname(path)))) syncFolder(folder);
}

/** The name under which the content is on the disk, beside the path. */
function writeTemporary(path: string, content: Uint8Array | string): string {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomUUID().slice(0, 8)}.tmp`);
  let file: number | undefined;
  let made = false;
  try {
    makeFolders(folder);
    file = openSync(temporary, "wx");
    made = true;
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    fsyncSync(file);
    closeSync(file);
    file = undefined;
    return temporary;
  } catch (error) {
    if (file !== undefined) closeSync(file);
    if (made) rmSync(temporary, { force: true });
    throw fileError(error, path, "written");
  }
}

/** Makes the rename durable, where the system lets a folder be opened. */
function syncFolder(folder: string): void {
  let handle: number;
  try {
    handle = openSync(folder, "r");
  } catch {
    return;
  }
  try {
    fsyncSync(handle);
  } catch {
    // Some systems open a folder and cannot sync it; the file itself is on the disk.
  } finally {
    closeSync(handle);
  }
}
