// `npm run example:app-node -- FILE...`: sees to it that the digits model is there, then runs the app on the drawings.
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compiledDigits } from "../digits/model.mjs";

compiledDigits();
const drawings = join(dirname(fileURLToPath(import.meta.url)), "drawings");
if (process.argv.length < 3) process.argv.push(...readdirSync(drawings).map((name) => join(drawings, name)));
await import("./classify.ts");
