/** The page's one thread: what is chosen becomes a draft at once, and a picture when asked. */
import { allMasks, brushMask } from "/page/brush.js";
import { buildCamera } from "/page/camera.js";
import { buildChoice, modelOf, nameOf } from "/page/choose.js";
import { $, fill, later, say, t } from "/page/dom.js";
import { showHistory } from "/page/history.js";
import { buildOptions, clearErrors, showError } from "/page/options.js";
import { call, listen } from "/page/server.js";
import { frames, isRunning, jobs, showStage, titleOf } from "/page/stage.js";
import { change, changeStyle, isCamera, isFilm, isNetwork, state, watch } from "/page/state.js";

/** The draft that is to be shown when something of it is there. @type {string|null} */
let awaited = null;
/** Counts what was asked for, so that an answer that comes late does not show what was before. */
let turn = 0;

/** What is chosen, as a job. @returns {Promise<import("/page/server.js").Request>} */
async function request(draft) {
  const { styles } = state, content = state.content === "none" ? null : state.content;
  const options = { ...state.options };
  const model = styles.length === 1 ? modelOf(styles[0].ref) : null;
  // What a network that paints takes into account, of the sliders.
  const { strength, preserve_color, size, ...others } = options;
  const plain = { content, styles: [], content_masks: [], protect: null, draft };
  const steadiness = isFilm() ? state.steadiness ?? "auto" : undefined;
  const isQuick = draft && model && content && !state.protect && !styles[0].mask
    && !Object.keys(others).length;
  const few = { strength, preserve_color, size, model, steadiness };
  if (isQuick || isFilm() || isNetwork(model)) return { ...plain, options: few };
  if (options.model) return { ...plain, options };
  if (styles.length > 1) options.style_blend = styles.map(({ share }) => share);
  return { content, draft, options, styles: styles.map(({ ref }) => ref),
    protect: content && state.protect,
    content_masks: content ? await allMasks(content, styles.map(({ mask }) => mask)) : [] };
}

async function send(draft) {
  const mine = ++turn;
  try {
    const job = await call("POST", "/api/jobs", await request(draft));
    update(job);
    if (mine === turn) clearErrors();
    return mine === turn ? job : null;
  } catch (error) {
    if (!draft || mine === turn) showError(error, !draft);
    return null;
  }
}

/** A first result at once; what is being painted, or was chosen meanwhile, stays in view. */
const draft = later(150, async () => {
  if (!state.content || !state.styles.length || isFilm() || isCamera()
    || document.body.dataset.brushing) return;
  const was = state.shown, job = await send(true), shown = jobs.get(state.shown ?? "");
  if (!job || (shown && !shown.draft && shown.id !== was)) return;
  if (isRunning(shown) && !shown.draft) awaited = job.id;
  else change({ shown: job.id });
});

async function paint(event) {
  event.preventDefault();
  const needsStyle = isFilm() || !state.options.model;
  const missing = !state.content ? "content" : needsStyle && !state.styles.length ? "style" : null;
  if (missing) return showError({ message: t(`choose_${missing}`), option: missing }, true);
  draft.cancel();
  $("paint").disabled = true;
  const job = await send(false);
  $("paint").disabled = false;
  awaited = null;
  if (job) change({ shown: job.id });
}

function showAwaited(id) {
  if (awaited !== id) return;
  awaited = null;
  change({ shown: id });
}

/** Take in what the server says of a job. */
function update(job) {
  const was = jobs.get(job.id);
  if (was && was.state !== job.state) {
    if (job.state === "done" && !job.draft) say(t("finished", { title: titleOf(job) }));
    if (job.state === "failed" && job.id === state.shown) showError(job.error);
  }
  jobs.set(job.id, job);
  if (!isRunning(job)) showAwaited(job.id);
}

function forget(id) {
  jobs.delete(id);
  URL.revokeObjectURL(frames.get(id) ?? "");
  frames.delete(id);
  if (state.shown === id) change({ shown: null });
}

/** Show what is new, at most once for each frame of the screen. */
let isDue = false;
function show() {
  if (!isDue) requestAnimationFrame(() => {
    isDue = false;
    const running = [...jobs.values()].find((job) => job.state === "painting" && !job.draft);
    const percent = running ? `${t("percent", { n: Math.round(100 * running.progress) })} · ` : "";
    document.title = percent + t("name");
    showStage();
    showHistory();
  });
  isDue = true;
}

const heard = {
  message({ type, jobs: all, job, id }) {
    if (type === "jobs") {
      for (const old of [...jobs.keys()]) if (!all.some((each) => each.id === old)) forget(old);
      all.forEach(update);
      if (!jobs.has(state.shown ?? "")) draft();
    } else if (type === "job") update(job);
    else forget(id);
    show();
  },
  frame({ job }, blob) {
    const old = frames.get(job);
    frames.set(job, URL.createObjectURL(blob));
    // What is on the stage now may still be decoding it.
    if (old) setTimeout(() => URL.revokeObjectURL(old), 3000);
    showAwaited(job);
    show();
  },
  connected(isThere) {
    $("connection").textContent = "";
    // Another token is needed after a restart: the server says so.
    if (!isThere) call("GET", "/api/jobs").catch(
      ({ message }) => { $("connection").textContent = message; });
  },
};

/** Brush where a style goes, or what to protect. */
async function openBrush(ref) {
  const { shown, styles, protect } = state, style = styles.find((each) => each.ref === ref);
  const was = style ? style.mask : protect;
  change({ shown: null });
  document.body.dataset.brushing = "true";
  try {
    const mask = await brushMask(state.content, was,
      style ? t("mask_hint", { name: nameOf("style", ref) }) : t("protect_hint"));
    delete document.body.dataset.brushing;
    if (mask === undefined || mask === was) change({ shown });
    else if (style) changeStyle(ref, { mask });
    else change({ protect: mask });
  } catch (error) {
    showError(error);
  }
  delete document.body.dataset.brushing;
  (ref ? $("chosen").querySelector("button") : $("protect"))?.focus();
  show();
}

async function begin() {
  fill();
  const form = await call("GET", "/api/form");
  buildOptions(form);
  buildCamera(form);
  watch((part, isOurs) => {
    const decides = ["content", "styles", "options", "protect"].some((name) => name in part);
    if (part.shown && !jobs.get(part.shown)?.draft) draft.cancel(); // Shown on purpose.
    else if (isOurs && decides && !part.shown) draft();
    show();
  });
  $("make").addEventListener("submit", paint);
  addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("make").requestSubmit();
  });
  listen(heard);
  await buildChoice(form, openBrush);
  document.body.dataset.ready = "true";
}

begin().catch((error) => { $("error").textContent = error.message; });
