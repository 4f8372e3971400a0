/** Masks by brush on the photograph: soft edges, by pointer, touch or keys. */
import { $, button, el, range, say, t } from "/page/dom.js";
import { picture, upload } from "/page/server.js";

// The long side of a mask, in pixels; strokes that can be undone; what is brushed, as it is shown.
const SIDE = 1024, UNDO = 20, TINT = [255, 84, 46], OPACITY = 0.62;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

async function loaded(ref) {
  const image = new Image();
  image.src = picture(ref, SIDE);
  await image.decode();
  return image;
}

/** A mask's values, 0 to 255, from its file. */
async function readMask(ref, width, height) {
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(await loaded(ref), 0, 0, width, height);
  return context.getImageData(0, 0, width, height).data.filter((_, index) => index % 4 === 0);
}

/** Send a mask as a PNG. @returns {Promise<string>} its reference */
async function sendMask(values, width, height) {
  const canvas = new OffscreenCanvas(width, height), image = new ImageData(width, height);
  values.forEach((value, index) => image.data.set([value, value, value, 255], 4 * index));
  canvas.getContext("2d").putImageData(image, 0, 0);
  return (await upload(await canvas.convertToBlob(), "mask.png")).ref;
}

/** Masks for all styles where some have one: the others share what is left. */
export async function allMasks(content, masks) {
  if (masks.every(Boolean) || !masks.some(Boolean)) return masks.filter(Boolean);
  const { naturalWidth: width, naturalHeight: height } = await loaded(content);
  const rest = new Uint8ClampedArray(width * height).fill(255);
  for (const mask of masks.filter(Boolean)) {
    (await readMask(mask, width, height)).forEach((value, index) => { rest[index] -= value; });
  }
  const ref = await sendMask(rest, width, height);
  return masks.map((mask) => mask ?? ref);
}

/** Let the person brush on a photograph.
 *  @returns {Promise<string|null|undefined>} the mask, null for none, undefined for as it was */
export async function brushMask(content, mask, hint) {
  const { naturalWidth: width, naturalHeight: height } = await loaded(content);
  let values = mask ? await readMask(mask, width, height) : new Uint8ClampedArray(width * height);
  const canvas = $("brushwork"), context = canvas.getContext("2d");
  const ariaLabel = `${hint} ${t("brush_canvas")}`;
  Object.assign(canvas, { width, height, ariaLabel, hidden: false });
  const shown = new ImageData(width, height), past = [];
  let at = [width / 2, height / 2], isDown = false;
  const knob = (name, value) => range({ id: `brush-${name}`, min: 2, max: 100, value });
  const size = knob("size", 24), soft = knob("soft", 60);
  const erase = el("input", { type: "checkbox" });
  const radius = () => Math.max(width, height) * Number(size.value) / 400;
  function show(left = 0, top = 0, right = width, bottom = height) {
    for (let y = top; y < bottom; y++) {
      for (let index = y * width + left; index < y * width + right; index++) {
        shown.data.set(TINT, 4 * index);
        shown.data[4 * index + 3] = OPACITY * values[index];
      }
    }
    context.putImageData(shown, 0, 0, left, top, right - left, bottom - top);
  }
  /** Where the brush is. */
  function ring() {
    context.putImageData(shown, 0, 0);
    context.beginPath();
    context.arc(at[0], at[1], radius(), 0, 7);
    Object.assign(context, { lineWidth: width / 300, strokeStyle: "#fff" }).stroke();
  }
  /** One touch of the brush: full within, falling to nothing over the soft edge.
   *  @param {number[]} place */
  function touch([x, y]) {
    const r = radius(), edge = r * Number(soft.value) / 100;
    const left = Math.max(0, Math.floor(x - r)), right = Math.min(width, Math.ceil(x + r));
    const top = Math.max(0, Math.floor(y - r)), bottom = Math.min(height, Math.ceil(y + r));
    for (let j = top; j < bottom; j++) {
      for (let i = left; i < right; i++) {
        const part = Math.min(1, Math.max(0, (r - Math.hypot(i - x, j - y)) / edge));
        const value = 255 * part * part * (3 - 2 * part), index = j * width + i;
        values[index] = erase.checked ? Math.min(values[index], 255 - value)
          : Math.max(values[index], value);
      }
    }
    if (right > left && bottom > top) show(left, top, right, bottom);
  }
  /** @param {number[]} place */
  function strokeTo([x, y]) {
    const across = x - at[0], down = y - at[1];
    const count = Math.max(1, Math.ceil(Math.hypot(across, down) / (radius() / 4)));
    for (let n = count - 1; n >= 0; n--) touch([x - across * n / count, y - down * n / count]);
    at = [x, y];
  }
  const place = ({ offsetX, offsetY }) =>
    [offsetX * width / canvas.clientWidth, offsetY * height / canvas.clientHeight];
  const remember = () => { past.push(values.slice()); past.splice(0, past.length - UNDO); };
  const undo = () => { values = past.pop() ?? values; show(); };
  const whole = (change) => () => { remember(); values = values.map(change); show(); };
  canvas.onpointerdown = (event) => {
    isDown = true;
    canvas.setPointerCapture(event.pointerId);
    remember();
    touch(at = place(event));
  };
  canvas.onpointermove = (event) => {
    if (isDown) strokeTo(place(event));
    else { at = place(event); ring(); }
  };
  canvas.onpointerup = canvas.onpointercancel = () => { isDown = false; };
  canvas.onpointerleave = () => context.putImageData(shown, 0, 0);
  canvas.onkeydown = (event) => {
    const move = MOVES[event.key], far = [width, height];
    if (move) {
      at = at.map((each, axis) =>
        Math.min(far[axis], Math.max(0, each + move[axis] * radius() / 2)));
      ring();
      const [x, y] = at.map((each, axis) => Math.round(100 * each / far[axis]));
      say(t("brush_at", { x, y }));
    } else if (event.key === " ") { remember(); touch(at); }
    else if (event.key === "z" && (event.ctrlKey || event.metaKey)) undo();
    else return;
    event.preventDefault();
  };
  show();
  const labelled = (name, control) => el("label", {}, t(`brush_${name}`), control);
  const tool = (name, does, className = "") => button(t(`brush_${name}`), does, { className });
  return new Promise((resolve) => {
    const send = () => resolve(values.some(Boolean) ? sendMask(values, width, height) : null);
    $("brushes").replaceChildren(el("p", {}, hint), tool("cancel", () => resolve(undefined)),
      tool("done", send, "primary"), el("span"),
      labelled("size", size), labelled("soft", soft), labelled("erase", erase),
      tool("undo", undo), tool("invert", whole((value) => 255 - value)),
      tool("clear", whole(() => 0)));
    $("brushes").hidden = false;
    canvas.focus();
  }).finally(() => { $("brushes").hidden = canvas.hidden = true; });
}
