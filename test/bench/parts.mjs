// What is measured besides the rows, in this order. A part is { name, run(settings) }, which gives lines to print, targets
// and results for the JSON.
import { coldStart } from "./parts/cold-start.mjs";
import { compileTime } from "./parts/compile-time.mjs";
import { generality } from "./parts/generality.mjs";
import { memory } from "./parts/memory.mjs";
import { size } from "./parts/size.mjs";

export const parts = [coldStart, compileTime, size, memory, generality];
