// The page: a pad to draw on, and what the compiled model says of it after every movement of the pen.
import { DlmError, load, meta } from "./model/Digit.js";
import { rasterize } from "./rasterize.js";

const element = (id) => document.getElementById(id);
const pad = element("pad");
const seen = element("seen");
const digit = element("digit");
const sure = element("sure");
const facts = element("facts");
const clear = element("clear");

/** of the pen, in pixels of the pad */
const thickness = 46;

let strokes = [];
let drawing = false;
let pending = false;

const bars = Array.from({ length: 10 }, (_, i) => {
  const item = document.createElement("li");
  item.innerHTML = `<span>${i}</span><span class="track"><div class="bar"></div></span><span class="percent"></span>`;
  element("bars").append(item);
  return { item, bar: item.querySelector(".bar"), percent: item.querySelector(".percent") };
});

/** Chances that add up to 1, of the model's scores. */
function softmax(scores) {
  const most = Math.max(...scores);
  const powers = Array.from(scores, (score) => Math.exp(score - most));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

function paint() {
  const context = pad.getContext("2d");
  context.clearRect(0, 0, pad.width, pad.height);
  context.strokeStyle = getComputedStyle(pad).getPropertyValue("--ink");
  context.lineWidth = thickness;
  context.lineCap = context.lineJoin = "round";
  for (const stroke of strokes) {
    context.beginPath();
    for (const { x, y } of stroke) context.lineTo(x, y);
    if (stroke.length === 1) context.lineTo(stroke[0].x + 0.01, stroke[0].y);
    context.stroke();
  }
  document.body.classList.toggle("drawn", strokes.length > 0);
  clear.disabled = strokes.length === 0;
}

function paintSeen(image) {
  const context = seen.getContext("2d");
  const [red, green, blue] = getComputedStyle(pad)
    .getPropertyValue("--ink")
    .match(/[\da-f]{2}/gi)
    .map((part) => Number.parseInt(part, 16));
  const pixels = context.createImageData(8, 8);
  image.forEach((ink, i) => pixels.data.set([red, green, blue, (255 * ink) / 16], 4 * i));
  context.putImageData(pixels, 0, 0);
}

function show(chances) {
  const best = chances.indexOf(Math.max(...chances));
  const known = strokes.length > 0;
  digit.textContent = known ? String(best) : "?";
  sure.textContent = known ? `${(100 * chances[best]).toFixed(1)} % sure` : "nothing drawn yet";
  bars.forEach(({ item, bar, percent }, i) => {
    bar.style.width = known ? `${100 * chances[i]}%` : "0";
    percent.textContent = known ? `${(100 * chances[i]).toFixed(1)} %` : "";
    item.classList.toggle("best", known && i === best);
  });
}

function failed(error) {
  facts.textContent = error instanceof DlmError ? `${error.message} (${error.code})` : String(error);
  facts.classList.add("failed");
}

// the address may ask for one of them: ?target=wasm
const target = new URLSearchParams(location.search).get("target");
const model = await load({ max: { B: 1 }, ...(target && { target }) }).catch((error) => {
  failed(error);
  throw error;
});
const out = new Float32Array(10);
const times = [];
const where =
  model.target === "webgpu" ? "on WebGPU" : `on wasm${model.fallback ? ` (${model.fallback})` : ""}`;
const parts = `${meta.parameters.toLocaleString("en-US")} weights, ${where}`;
facts.textContent = `${meta.name}: ${parts}, ready`;
document.body.dataset.ready = "true";

async function classify() {
  pending = false;
  const image = rasterize(strokes);
  paintSeen(image);
  try {
    const start = performance.now();
    await model.run({ image }, { into: { out } });
    times.push(performance.now() - start);
  } catch (error) {
    failed(error);
    return;
  }
  show(softmax(out));
  const recent = times.slice(-20).sort((a, b) => a - b);
  facts.textContent = `${meta.name}: ${parts}, ${recent[recent.length >> 1].toFixed(2)} ms for one image`;
}

/** Once a frame, however often the pen moves. */
function update() {
  paint();
  if (!pending) requestAnimationFrame(() => void classify());
  pending = true;
}

function place(event) {
  const box = pad.getBoundingClientRect();
  return {
    x: ((event.clientX - box.left) / box.width) * pad.width,
    y: ((event.clientY - box.top) / box.height) * pad.height,
  };
}

pad.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  pad.setPointerCapture(event.pointerId);
  drawing = true;
  strokes.push([place(event)]);
  update();
});
pad.addEventListener("pointermove", (event) => {
  if (!drawing) return;
  strokes.at(-1).push(...(event.getCoalescedEvents?.() ?? [event]).map(place));
  update();
});
for (const name of ["pointerup", "pointercancel"]) pad.addEventListener(name, () => (drawing = false));
clear.addEventListener("click", () => {
  strokes = [];
  update();
  pad.focus();
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape") clear.click();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", update);
update();
