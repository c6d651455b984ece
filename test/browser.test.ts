/** The apps of examples/: the page in a real headless Chromium, drawn on with the mouse, and the program on Node. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import chromium from "@sparticuz/chromium";
import { type Browser, chromium as playwright, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "./source-files.ts";
import { digitStrokes, type Point } from "./strokes.ts";

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "dlm-apps-"));
const app = join(folder, ".data", "quickstart", "app");

const dlmc = (...words: string[]) =>
  run(process.execPath, [join(root, "src", "cli", "main.ts"), ...words], { cwd: root });

interface Server {
  address(): AddressInfo;
  close(): void;
}
let server: Server;
let browser: Browser;

beforeAll(async () => {
  // a copy, since training writes dlm.lock beside the program
  const digits = join(folder, "digits");
  cpSync(join(root, "examples", "digits"), digits, { recursive: true });
  const program = join(digits, "digits.dlm");
  await dlmc("train", program, "--epochs", "10", "-o", join(folder, "run"));
  await dlmc("compile", program, "--weights", join(folder, "run", "best.safetensors"), "-o", app);
  const { serve } = (await import("../examples/app-web/serve.mjs" as string)) as {
    serve: (model: string, port: number) => Promise<Server>;
  };
  server = await serve(app, 0);
  browser = await playwright.launch({
    executablePath: await chromium.executablePath(),
    args: [
      "--no-sandbox",
      "--enable-unsafe-webgpu",
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ],
  });
});

afterAll(async () => {
  await browser?.close();
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Opened {
  readonly page: Page;
  /** what the page said that it should not have */
  readonly complaints: string[];
}

async function open(options: {
  readonly width: number;
  readonly dark: boolean;
  readonly target?: "webgpu";
}): Promise<Opened> {
  const page = await browser.newPage({
    viewport: { width: options.width, height: 800 },
    colorScheme: options.dark ? "dark" : "light",
  });
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() !== "log") complaints.push(message.text());
  });
  page.on("response", (response) => {
    if (!response.ok()) complaints.push(`${response.status()} ${response.url()}`);
  });
  await page.goto(`http://127.0.0.1:${server.address().port}/?target=${options.target ?? "wasm"}`);
  await page.waitForSelector("[data-ready]");
  return { page, complaints };
}

async function draw(page: Page, strokes: readonly (readonly Point[])[]): Promise<void> {
  const box = (await page.locator("#pad").boundingBox())!;
  for (const stroke of strokes) {
    let down = false;
    for (const { x, y } of stroke) {
      await page.mouse.move(box.x + x * box.width, box.y + y * box.height);
      if (!down) await page.mouse.down();
      down = true;
    }
    await page.mouse.up();
  }
  // two frames: the pen's last movement is classified in the first
  await page.evaluate(
    () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(undefined)))),
  );
}

describe("the page of examples/app-web", () => {
  test("reads the digits that a mouse draws", async () => {
    const { page, complaints } = await open({ width: 1000, dark: false });
    expect(await page.locator("#digit").textContent()).toBe("?");
    const read: string[] = [];
    for (const strokes of digitStrokes) {
      await draw(page, strokes);
      read.push((await page.locator("#digit").textContent()) ?? "");
      await page.getByRole("button", { name: "Clear" }).click();
    }
    expect(complaints).toEqual([]);
    // these strokes are no data of the set: one of the ten may be taken for another
    expect(
      read.filter((text, digit) => text === String(digit)).length,
      read.join(" "),
    ).toBeGreaterThanOrEqual(9);
    expect(read.slice(0, 2)).toEqual(["0", "1"]);
    await page.close();
  });

  test("reads them on WebGPU too", async () => {
    const { page, complaints } = await open({ width: 1000, dark: false, target: "webgpu" });
    expect(await page.locator("#facts").textContent()).toContain("on WebGPU");
    await draw(page, digitStrokes[1]!);
    await page.waitForFunction(() => document.querySelector("#digit")?.textContent === "1");
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("shows ten chances that add up to one, and clears", async () => {
    const { page } = await open({ width: 1000, dark: false });
    await draw(page, digitStrokes[0]!);
    const percents = await page.locator("#bars .percent").allTextContents();
    expect(percents).toHaveLength(10);
    expect(percents.reduce((sum, text) => sum + Number.parseFloat(text), 0)).toBeCloseTo(100, -0.5);
    expect(await page.locator("#bars .best span").first().textContent()).toBe("0");
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => document.querySelector("#digit")?.textContent === "?");
    expect(await page.getByRole("button", { name: "Clear" }).isDisabled()).toBe(true);
    await page.close();
  });

  test("fits a phone, light and dark", async () => {
    const { page, complaints } = await open({ width: 360, dark: true });
    await draw(page, digitStrokes[7]!);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    const [red] = (await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).match(/\d+/g)!;
    expect(Number(red)).toBeLessThan(64);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("says what is wrong where the model was damaged on the way", async () => {
    const page = await browser.newPage();
    await page.route("**/*.wasm", async (route) => {
      const response = await route.fetch();
      const body = await response.body();
      body[body.length - 1]! ^= 1;
      await route.fulfill({ response, body });
    });
    await page.goto(`http://127.0.0.1:${server.address().port}/?target=wasm`);
    await page.locator("#facts.failed").waitFor();
    expect(await page.locator("#facts").textContent()).toMatch(/bytes were altered or cut off \(artifact\)/);
    await page.close();
  });
});

describe("the program of examples/app-node", () => {
  const example = join(folder, "examples", "app-node");

  test("reads the drawings beside it, and says what is wrong with another", async () => {
    mkdirSync(example, { recursive: true });
    cpSync(join(root, "examples", "app-node"), example, { recursive: true });
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    writeFileSync(join(folder, "short.txt"), "####\n");
    const drawings = ["four", "seven", "zero"].map((name) => join(example, "drawings", `${name}.txt`));
    const { stdout } = await run(process.execPath, [join(example, "classify.ts"), ...drawings]);
    expect(stdout.split("\n").map((line) => line.split(/ +/)[1])).toEqual([
      expect.any(String),
      "4",
      "7",
      "0",
      undefined,
    ]);
    await expect(
      run(process.execPath, [join(example, "classify.ts"), join(folder, "short.txt")]),
    ).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/short\.txt: image is u8\[B, H=8, W=8, C=1\]: 4 numbers do not fit/),
    });
  });

  test("has the types that the compiled model declares", async () => {
    const require = createRequire(import.meta.url);
    const tsc = join(require.resolve("typescript/package.json"), "..", "bin", "tsc");
    const types = join(require.resolve("@types/node/package.json"), "..", "..");
    const options = [
      "--noEmit",
      "--strict",
      "--noUncheckedIndexedAccess",
      "--target",
      "es2023",
      "--module",
      "nodenext",
    ];
    await run(
      process.execPath,
      [tsc, ...options, "--typeRoots", types, "--types", "node", join(example, "classify.ts")],
      {
        cwd: folder,
      },
    );
  });
});
