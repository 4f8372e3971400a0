/** The picture in the middle: as it forms, beside the photograph, at full size, how it was made. */
import { $, button, el, icon, iconButton, say, t, time } from "/page/dom.js";
import { modelOf, nameOf } from "/page/choose.js";
import { optionTitle, showError } from "/page/options.js";
import { call, picture } from "/page/server.js";
import { change, isCamera, isNetwork, state } from "/page/state.js";

/** @typedef {import("/page/server.js").Job} Job */
/** All jobs by name, and the newest frame of each as an address. @type {Map<string, Job>} */
export const jobs = new Map(), frames = new Map();
export const isRunning = (job) => job?.state === "waiting" || job?.state === "painting";
const hasResult = (job) => Boolean(job?.has_picture) && !isRunning(job);
const address = (job, what) => `/api/jobs/${job.id}/${what}`;
/** Of a result: one that was gone on with is another, which a browser is to ask for. */
const version = ({ scale, step }) => `step=${scale}.${step}`;
/** A small picture of a job: its result, else what there is of it, else its painting. */
export const thumbnail = (job) => hasResult(job)
  ? `${picture(`result:${job.id}`, 256)}&${version(job)}`
  : frames.get(job.id) ?? picture(job.request.styles[0] ?? job.request.options.model, 256);

/** What the pictures of a job are called: here, or else where it was painted. */
function namesOf({ title, request: { content, styles, options } }) {
  const refs = [content, ...styles.length ? styles : [options.model]], told = title.split(", ");
  const first = content ? 0 : 1, isSure = told.length === refs.length - first;
  return refs.map((ref, index) => ref && nameOf(index ? "style" : "content", ref,
    isSure ? told[index - first] : title));
}

/** What a person calls a job: what was painted as what. */
export function titleOf(job) {
  const [content, ...styles] = namesOf(job);
  return t(content ? "by" : "texture_of", { styles: styles.join(" + "), content });
}

/** The options that a job was given, with what the page calls them. */
export const madeWith = (job) => Object.entries(job.request.options).map(([name, value]) =>
  [optionTitle(name), isNetwork(value) ? namesOf(job)[1] : String(value)]);

/** One line of what goes on with a job. @param {Job} job */
export function factsOf(job) {
  if (job.error) return job.error.message;
  if (job.state === "waiting") return t("waiting");
  if (job.state === "painting" && !job.step) return t("starting");
  const { step, steps, seconds_left: left } = job;
  return (job.state === "painting"
    ? [t("step", { step, steps }), left === null ? "" : t("left", { time: time(left) })]
    : [job.width ? `${job.width} × ${job.height}` : "", job.seconds ? time(job.seconds) : "",
      job.state === "done" ? "" : t(job.state)]).filter(Boolean).join(" · ");
}

const look = { compare: false, zoom: false, details: false };
let before = "", showing = "";

/** Show another picture without a flash: decoded first, the newest wins. */
async function put(source, pixels) {
  if (source === showing) return;
  showing = source;
  if (!source) return $("after").removeAttribute("src");
  const next = new Image();
  next.src = source;
  await next.decode().catch(() => undefined);
  if (source !== showing) return;
  $("after").src = source;
  const { style } = $("easel");
  style.setProperty("--ratio", String(next.naturalWidth / next.naturalHeight || 1));
  style.setProperty("--pixels", `${(pixels || next.naturalWidth) / devicePixelRatio}px`);
}

function showCompare(isSeen) {
  for (const id of ["before", "compare", "divider"]) $(id).hidden = !isSeen;
  if (isSeen && $("before").getAttribute("src") !== before) $("before").src = before;
  $("easel").style.setProperty("--split", `${$("compare").value}%`);
}

/** Show what is chosen to be seen: a job, else the photograph. */
export function showStage() {
  const job = jobs.get(state.shown ?? "");
  $("welcome").hidden = isCamera() || Boolean(state.content || job);
  $("view").hidden = !$("welcome").hidden;
  if (isCamera()) {
    showing = "";
    for (const id of ["caption", "progress", "details", "film"]) $(id).hidden = true;
    return showCompare(false);
  }
  const still = job ? job.request.content : state.content === "none" ? null : state.content;
  before = still ? picture(still, 2048) : "";
  const film = $("film");
  const isFilm = job?.kind === "film" && hasResult(job);
  film.hidden = !isFilm;
  $("after").hidden = isFilm;
  const movie = isFilm ? `${address(job, "result.mp4")}?${version(job)}` : null;
  if (!isFilm) film.pause();
  else if (film.getAttribute("src") !== movie) film.src = movie;
  const source = hasResult(job) && !isFilm ? `${address(job, "result.png")}?${version(job)}`
    : frames.get(job?.id ?? "") ?? before;
  put(source, hasResult(job) && job.width);
  $("after").alt = job ? titleOf(job) : still ? nameOf("content", still) : "";
  showCompare(look.compare && Boolean(job && before && source && !isFilm));
  showCaption(job);
}

/** Say what is shown and how far it is. */
function showCaption(job) {
  $("caption").hidden = !job && !state.content;
  $("caption").classList.toggle("failed", Boolean(job?.error));
  $("title").textContent = job ? titleOf(job) : "";
  $("facts").textContent = !job ? state.styles.length ? "" : t("choose_painting")
    : !job.draft ? factsOf(job)
      : job.state === "done" ? t("draft_done") : t("draft", { facts: factsOf(job) });
  $("progress").hidden = !isRunning(job);
  if (job?.progress) $("progress").value = job.progress;
  else $("progress").removeAttribute("value");
  const key = job ? `${job.id} ${job.state} ${before}` : "";
  const tools = $("tools"), details = $("details");
  if (tools.dataset.of !== key) {
    const hadFocus = tools.contains(document.activeElement);
    tools.replaceChildren(...job ? toolsOf(job) : []);
    if (hadFocus) tools.querySelector("button")?.focus();
  }
  tools.dataset.of = key;
  details.hidden = !(job && look.details);
  // Not under the fingers of somebody who is there.
  if (!details.hidden && !details.contains(document.activeElement)) {
    details.replaceChildren(...detailsOf(job));
  }
}

/** A button that stays pressed. */
const toggle = (name, then = () => undefined) => iconButton(name, t(name), ({ currentTarget }) => {
  look[name] = !look[name];
  currentTarget.ariaPressed = String(look[name]);
  then();
  showStage();
}, { ariaPressed: String(look[name]) });

function zoom() {
  const frame = $("frame");
  frame.classList.toggle("full", look.zoom);
  frame.scrollTo((frame.scrollWidth - frame.clientWidth) / 2,
    (frame.scrollHeight - frame.clientHeight) / 2);
}

function toolsOf(job) {
  const act = (what) => button(t(what), () => call("POST", address(job, what)).catch(showError));
  const isFilm = job.kind === "film", kinds = isFilm ? ["mp4"] : ["png", "jpg", "tif"];
  return [
    job.state === "painting" && !job.draft && act("stop"),
    isRunning(job) && act("cancel"),
    job.state === "stopped" && !job.draft && act("resume"),
    before && !isFilm && (hasResult(job) || isRunning(job)) && toggle("compare"),
    hasResult(job) && !isFilm && toggle("zoom", zoom),
    toggle("details"),
    !job.draft && !isRunning(job) && iconButton("again", t("again"), () => again(job)),
    ...!job.draft && hasResult(job) ? [
      el("button", { type: "button", popovertarget: "kinds", id: "download" }, icon("download"),
        t("download")),
      el("div", { popover: "", id: "kinds", onclick: () => $("kinds").hidePopover() },
        kinds.map((kind) => el("a", { href: address(job, `result.${kind}`), download: "" },
          t(`download_${kind}`))))] : [],
  ].filter(Boolean);
}

/** Bring a job's settings back, to change and paint again. */
function again(job) {
  const { kind, request } = job, [, ...names] = namesOf(job);
  const { model, style_blend: shares, steadiness, ...options } = request.options;
  // Among the options it paints, whatever style is chosen; that of all samples is no style.
  if (model && kind !== "film" && !isNetwork(model)) options.model = model;
  const refs = request.styles.length ? request.styles : [model].filter(modelOf);
  change({ shown: state.shown,
    content: request.content ?? "none", options, several: refs.length > 1,
    protect: request.protect, steadiness: typeof steadiness === "number" ? steadiness : null,
    styles: refs.map((ref, index) => ({ ref, name: names[index],
      share: shares?.[index] ?? 1, mask: request.content_masks[index] ?? null })),
  });
  $("make").focus();
  say(t("again_done"));
}

/** The loss as a curve, over powers of ten. */
function curve(loss) {
  const values = loss.map(([, value]) => Math.log(Math.max(value, 1e-9)));
  const least = Math.min(...values), most = Math.max(...values), steps = loss.at(-1)[0];
  const line = values.map((value, index) => [296 * loss[index][0] / steps + 2,
    4 + 72 * (most - value) / (most - least || 1)].map((each) => each.toFixed(1)).join(" "));
  const [first, last] = [loss[0][1], loss.at(-1)[1]].map((value) => value.toPrecision(3));
  return el("figure", {},
    el("figcaption", {}, t("loss"), el("span", {}, `${first} → ${last}`)),
    el("svg", { viewBox: "0 0 300 80", preserveAspectRatio: "none", class: "curve", role: "img",
      "aria-label": t("loss_of", { first, last, steps }) },
    el("path", { d: `M${line.join("L")}`, "vector-effect": "non-scaling-stroke" })));
}

/** Put a recipe on the clipboard, or show it where a page may not. */
async function copy(job, what) {
  const text = await call("GET", address(job, what));
  try {
    await navigator.clipboard.writeText(text);
    say(t("copied"));
  } catch {
    open(address(job, what));
  }
}

function detailsOf(job) {
  const { content, styles, protect, content_masks: masks } = job.request, made = madeWith(job);
  const refs = [content, ...styles, protect, ...masks].filter(Boolean);
  const recipes = job.kind === "film" ? ["command"] : ["command", "python"];
  return [
    job.loss.length > 1 && curve(job.loss),
    el("div", { class: "made" }, refs.map((ref) => el("img", { src: picture(ref, 128), alt: "" }))),
    made.length ? el("dl", {}, made.map(([name, value]) =>
      el("div", {}, el("dt", {}, name), el("dd", {}, value))))
      : el("p", { class: "quiet" }, t("defaults")),
    ...[job.why, ...job.notes].map((note) => note && el("p", { class: "quiet" }, note)),
    !job.draft && el("div", { class: "row" }, recipes.map((what) =>
      button(t(`copy_${what}`), () => copy(job, what).catch(showError)))),
  ].filter(Boolean);
}

$("compare").addEventListener("input", () => showCompare(true));
