/** `dlmc` as a process, as a user starts it: the built command line where it is up to date, else its sources. */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { root } from "../source-files.ts";

const built = join(root, ".build", "bin", "dlmc.js");
const source = join(root, "src", "cli", "main.ts");

function newest(folder: string): number {
  return Math.max(
    ...readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs),
  );
}

/** Whether `npm run build` has seen the sources as they are. */
export function isBuilt(): boolean {
  const made = statSync(built, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return ["grammar", "compiler", "runtime", "src"].every((folder) => newest(folder) < made);
}

export const builtCommand = built;
const command = isBuilt() ? built : source;

export interface Started {
  readonly process: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
}

export interface Ended {
  /** null where a signal ended it */
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

export interface StartOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** another Node */
  readonly node?: string;
  /** in a shell, before the command: `ulimit -f 8` */
  readonly limit?: string;
  /** in a shell, behind the command: `> /dev/full` */
  readonly redirect?: string;
  /** told of all of standard output so far, at each piece of it */
  readonly output?: (text: string, process: ChildProcessWithoutNullStreams) => void;
}

export function start(args: readonly string[], options: StartOptions): Started {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    // hundreds of starts of the same modules
    NODE_COMPILE_CACHE: join(root, ".build", "compile-cache"),
    ...options.env,
  };
  for (const name of ["NO_COLOR", "FORCE_COLOR"]) if (options.env?.[name] === undefined) delete env[name];
  const file = options.node === undefined ? command : built;
  const line = [options.node ?? process.execPath, file, ...args];
  const child =
    options.limit === undefined && options.redirect === undefined
      ? spawn(line[0]!, line.slice(1), { cwd: options.cwd, env })
      : spawn("bash", ["-c", `${options.limit ?? ":"}; "$@" ${options.redirect ?? ""}`, "bash", ...line], {
          cwd: options.cwd,
          env,
        });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    options.output?.(out, child);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  child.stdin.end();
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, out, err }));
  });
  return { process: child, ended };
}

/** At most two at a time: more do not end sooner. */
let running = 0;
const waiting: (() => void)[] = [];

/** Runs the command to its end. */
export async function dlmc(args: readonly string[], options: StartOptions): Promise<Ended> {
  if (running >= 2) await new Promise<void>((resolve) => waiting.push(resolve));
  running++;
  try {
    return await start(args, options).ended;
  } finally {
    running--;
    waiting.shift()?.();
  }
}

/** Each line of standard output as JSON; fails where one is not. */
export function jsonLines(out: string): Record<string, unknown>[] {
  return out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** What no user's mistake may show. */
export const stackTrace = /\n\s+at .*\(?.*:\d+:\d+\)?|internal error|node:internal/;
