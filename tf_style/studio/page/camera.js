/** The camera, painted live: one frame is under way at a time. */
import { $, el, later, say, t } from "/page/dom.js";
import { bring, modelOf, nameOf, showChoice } from "/page/choose.js";
import { socket } from "/page/server.js";
import { showStage } from "/page/stage.js";
import { isCamera, state, watch } from "/page/state.js";

const SIZE = 384;
/** @type {{frames: WebSocket, stream: MediaStream}|null} */
let live = null;
/** Counts starts and ends, so that a camera that is allowed late is not left on. */
let turn = 0;
/** Send the settings, and a frame where none is under way. */
let settle = () => undefined;
const canvas = el("canvas"), video = el("video", { muted: true, playsInline: true });

/** Tell what paints; whether that is known. */
function sendSettings() {
  const model = modelOf(state.styles[0]?.ref);
  const { steadiness, options: { strength, preserve_color } } = state;
  if (!model) say(t("camera_choose"));
  else live?.frames.send(JSON.stringify(
    { model, strength, preserve_color, steadiness: steadiness ?? "auto", size: SIZE }));
  return Boolean(model);
}

function sendFrame() {
  if (live?.frames.readyState !== WebSocket.OPEN) return;
  const scale = SIZE / Math.max(video.videoWidth, video.videoHeight);
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => live?.frames.send(blob), "image/jpeg", 0.85);
}

function show(blob) {
  const image = $("after"), old = image.src;
  image.src = URL.createObjectURL(blob);
  if (old.startsWith("blob:")) URL.revokeObjectURL(old);
  image.hidden = false;
  image.alt = t("camera_live", { name: nameOf("style", state.styles[0].ref) });
  $("easel").style.setProperty("--ratio", String(canvas.width / canvas.height));
  document.body.dataset.live = String(Number(document.body.dataset.live ?? 0) + 1);
}

const end = (stream) => { for (const track of stream.getTracks()) track.stop(); };

async function start() {
  const mine = turn;
  say(t("camera_starting"));
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 640 } } });
    if (mine !== turn) return end(stream);
    const frames = socket("/api/camera");
    frames.binaryType = "blob";
    live = { frames, stream };
    video.srcObject = stream;
    await video.play();
    let isPainting = false;
    settle = () => {
      if (live?.frames !== frames || frames.readyState !== WebSocket.OPEN) return;
      if (sendSettings() && !isPainting) { isPainting = true; sendFrame(); }
    };
    frames.onmessage = ({ data }) => {
      if (!isCamera()) return;
      const isPainted = data instanceof Blob, told = isPainted ? null : JSON.parse(data);
      if (isPainted) show(data);
      else say(told.error.message);
      if (isPainted || told.of_frame) setTimeout(sendFrame, isPainted ? 0 : 500);
    };
    frames.onclose = () => { if (live?.frames === frames) showMode("picture"); };
    frames.onopen = settle;
    settle();
  } catch (error) {
    if (mine !== turn) return;
    showMode("picture");
    say(t("camera_off", { why: error.message }));
  }
}

function stop() {
  turn += 1;
  if (live) end(live.stream);
  live?.frames.close();
  live = null;
}

function showMode(mode) {
  document.body.dataset.mode = mode;
  for (const each of ["picture", "camera"]) $(`mode-${each}`).ariaPressed = String(mode === each);
  stop();
  $("after").removeAttribute("src");
  showChoice();
  showStage();
  if (mode === "camera") start();
}

export function buildCamera(form) {
  // Browsers have none for a page that comes from another machine without encryption.
  $("modes").hidden = !form.camera || !navigator.mediaDevices;
  const again = later(150, () => settle());
  watch((part) => { if (part.styles || part.options || "steadiness" in part) again(); });
  for (const mode of ["picture", "camera"]) $(`mode-${mode}`).onclick = () => showMode(mode);
  $("shoot").addEventListener("click", () => {
    if ($("after").src) el("a", { href: $("after").src, download: "camera.jpg" }).click();
  });
  $("use-frame").addEventListener("click", () => canvas.toBlob((blob) => {
    showMode("picture");
    bring("content", [new File([blob], "camera.png", { type: "image/png" })]);
  }));
}
