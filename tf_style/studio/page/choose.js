/** Choosing the photograph and the paintings: samples, what was brought here, the library. */
import { $, button, el, icon, iconButton, later, range, say, t, word } from "/page/dom.js";
import { showError } from "/page/options.js";
import { call, picture, upload } from "/page/server.js";
import { change, changeStyle, chooseStyle, isCamera, isChosen, isFilm, isNetwork, remember, state,
  watch } from "/page/state.js";

const AT_ONCE = 60;
let form, brush;

/** What a picture is called: its name without what tells the kind of file; else as is told. */
export function nameOf(part, ref, told = t(part === "content" ? "photograph" : "painting")) {
  if (ref.startsWith("sample:")) return word("samples", ref.slice(7), true);
  if (form.networks[ref]) return form.networks[ref];
  const known = [...state.mine[part], ...state.styles].find((each) => each.ref === ref);
  return known?.name.replace(/\.\w{2,5}$/, "") ?? told;
}
export const modelOf = (ref) => isNetwork(ref) ? ref : form.models[ref];
const samples = (part) => form.samples[part].map((ref) => ({ ref, name: nameOf(part, ref) }));
const needsNetwork = () => isFilm() || isCamera();
const byNetwork = () => needsNetwork() || isNetwork(state.styles[0]?.ref);
const canMask = () => Boolean(state.content) && state.content !== "none" && !byNetwork();

/** A tile: a picture that is a choice. */
function tile(type, group, { ref, name, reasons = [] }, checked, choose, disabled = false) {
  const label = disabled ? t("no_network", { name }) : [name, ...reasons].join(", ");
  return el("label", { class: "tile", title: label },
    el("input", { type, name: group, value: ref, checked, disabled, ariaLabel: label,
      onchange: () => choose({ ref, name }) }),
    ref === "none" ? icon("none")
      : el("img", { src: picture(ref, 256), alt: "", loading: "lazy", decoding: "async" }));
}

/** The tile that takes files. */
function addTile(part) {
  const input = el("input", { type: "file", id: `add-${part}`, ariaLabel: t(`add_${part}`),
    accept: part === "style" ? "image/*,.keras" : form.films ? "image/*,video/*" : "image/*",
    onchange: () => { bring(part, input.files); input.value = ""; } });
  return el("label", { class: "tile add", title: t(`add_${part}`) }, input, icon("plus"));
}

/** Take in a file as the photograph, or files as paintings; networks are such wherever dropped. */
export async function bring(zone, files) {
  for (const file of [...files].slice(0, zone === "content" ? 1 : 8)) {
    const isKeras = /\.keras$/i.test(file.name), part = isKeras ? "style" : zone;
    say(t("uploading", { name: file.name }));
    try {
      const kind = isKeras ? "networks" : file.type.startsWith("video/") ? "films" : "pictures";
      const { ref } = await upload(file, file.name, `/api/${kind}`);
      if (!form.networks[ref]) remember(part, { ref, name: file.name });
      if (part === "content") chooseContent(ref);
      else if (!isChosen(ref)) chooseStyle({ ref, name: file.name });
    } catch (error) {
      showError({ message: error.message, option: part }, true);
    }
  }
}

/** What belongs to one photograph, its masks, does not fit another. */
const chooseContent = (ref) => change({ content: ref, protect: null, shown: null,
  styles: state.styles.map((style) => ({ ...style, mask: null })) });

/** Show tiles; where they are there already, only what is checked changes, and focus stays. */
function showTiles(box, tiles) {
  const inputs = (nodes) => [...nodes].map((node) => node.querySelector("input"));
  const key = (nodes) => inputs(nodes).map(({ type, value, disabled }) =>
    [type, type === "file" || value, disabled]).join();
  if (key(box.children) !== key(tiles)) return box.replaceChildren(...tiles);
  const fresh = inputs(tiles);
  inputs(box.children).forEach((input, index) => { input.checked = fresh[index].checked; });
}

function showContents() {
  const all = [...state.mine.content, ...samples("content"), { ref: "none", name: t("texture") }];
  showTiles($("contents"), [addTile("content"), ...all.map((each) =>
    tile("radio", "content", each, state.content === each.ref, ({ ref }) => chooseContent(ref)))]);
  $("protect").hidden = !canMask();
  $("protect").replaceChildren(icon("brush"), t(state.protect ? "protect_change" : "protect"));
}

function showStyles() {
  const known = [...state.mine.style.filter(({ ref }) => !form.networks[ref]), ...samples("style")];
  const more = state.styles.filter((style) => !known.some(({ ref }) => ref === style.ref));
  const type = state.several && !needsNetwork() ? "checkbox" : "radio";
  showTiles($("styles"), [addTile("style"), ...[...more, ...known].map((each) => tile(type, "style",
    each, isChosen(each.ref), chooseStyle, needsNetwork() && !modelOf(each.ref)))]);
  $("several").checked = state.several;
}

/** The paintings that are chosen: how much of each, and where. */
function showChosen() {
  const box = $("chosen"), several = state.styles.length > 1;
  // A slider that is held stays.
  if (box.querySelector("input:focus")) return;
  box.hidden = byNetwork() || !(several || canMask());
  box.replaceChildren(...state.styles.map(({ ref, share, mask }) => {
    const name = nameOf("style", ref);
    return el("li", {}, el("img", { src: picture(ref, 128), alt: "" }), several
      ? range({ min: 0, max: 1, step: 0.05, value: share, ariaLabel: t("share", { name }) },
        (value) => changeStyle(ref, { share: value })) : el("span", {}, name),
    canMask() ? iconButton("brush", t(mask ? "mask_change" : "mask", { name }),
      () => brush(ref), { ariaPressed: String(Boolean(mask)) }) : null,
    several ? iconButton("close", t("remove", { name }), () => chooseStyle({ ref, name })) : null);
  }));
}

export function showChoice() {
  showContents();
  showStyles();
  showChosen();
  $("steadiness-part").hidden = !needsNetwork();
  $("more").hidden = byNetwork();
  $("make").classList.toggle("network", byNetwork());
}

/** The library in its dialogue, a page at a time. */
function buildLibrary() {
  const order = $("library-order"), tiles = $("library-tiles");
  let turn = 0;
  const load = async () => {
    const mine = ++turn;
    tiles.ariaBusy = "true";
    const start = tiles.children.length, count = start + AT_ONCE;
    const like = state.styles[0]?.ref, suits = state.content !== "none" && !isFilm();
    const ref = { like: !isNetwork(like) && like, for: suits && state.content }[order.value];
    const path = ref ? `/${order.value}?ref=${encodeURIComponent(ref)}&count=${count}`
      : `?start=${start}&count=${AT_ONCE}&name=${encodeURIComponent($("library-name").value)}`;
    try {
      const { pictures } = await call("GET", `/api/library${path}`);
      if (mine !== turn) return;
      const fresh = ref ? pictures.slice(start) : pictures;
      tiles.append(...fresh.map((each) => tile(state.several ? "checkbox" : "radio", "library",
        each, isChosen(each.ref), chooseStyle)));
      $("library-more").hidden = fresh.length < AT_ONCE;
    } catch (error) {
      say(error.message);
    }
    tiles.ariaBusy = "false";
  };
  const anew = () => { tiles.replaceChildren(); load(); };
  order.append(...["name", "like", "for"].map((value) =>
    el("option", { value }, t(`library_${value}`))));
  $("library-open").addEventListener("click", () => { $("library").showModal(); anew(); });
  $("library-name").addEventListener("input", later(250, () => { order.value = "name"; anew(); }));
  order.addEventListener("change", anew);
  $("library-more").addEventListener("click", load);
}

/** Drop and paste. */
function takeIn() {
  const zones = $("drop");
  addEventListener("dragenter", ({ dataTransfer }) => {
    zones.hidden = !dataTransfer?.types.includes("Files");
  });
  addEventListener("dragover", (event) => {
    event.preventDefault();
    for (const zone of zones.children) zone.classList.toggle("over", zone === event.target);
  });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) zones.hidden = true; });
  addEventListener("drop", (/** @type {any} */ event) => {
    event.preventDefault();
    zones.hidden = true;
    bring(event.target.dataset?.drop ?? "content", event.dataTransfer.files);
  });
  addEventListener("paste", (event) => {
    const { files } = event.clipboardData;
    if (!files.length) return;
    event.preventDefault();
    bring($("style-part").contains(document.activeElement) ? "style" : "content", files);
  });
}

/** Build it; `openBrush` is called with a style's reference, or null to protect. */
export async function buildChoice(given, openBrush) {
  form = given;
  brush = openBrush;
  $("several").addEventListener("change", ({ target }) => change({ several: target.checked,
    styles: target.checked ? state.styles : state.styles.slice(0, 1) }));
  $("protect").addEventListener("click", () => brush(null));
  $("welcome-choose").addEventListener("click", () => $("add-content").click());
  $("welcome-samples").append(...samples("content").map(({ ref, name }) =>
    button(el("img", { src: picture(ref, 512), alt: name }), () => chooseContent(ref),
      { className: "tile", title: name })));
  buildLibrary();
  takeIn();
  const shown = ["content", "styles", "mine", "several", "protect"];
  watch((part) => { if (shown.some((name) => name in part)) showChoice(); });
  showChoice();
  const { total } = await call("GET", "/api/library?start=0&count=1").catch(() => ({ total: 0 }));
  $("library-open").hidden = !total;
  $("library-open").append(t("library_open", { n: total }));
}
