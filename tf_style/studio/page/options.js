/** Sliders, and every other option under a fold: all made from what the server says of them. */
import { $, all, el, iconButton, range, showAt, t, word } from "/page/dom.js";
import { change, setOption, state, watch } from "/page/state.js";

const SIZES = [128, 192, 256, 384, 512, 640, 768, 1024, 1280, 1536, 2048, 3072, 4096];
const nearest = (value) => SIZES.reduce((best, size, index) =>
  Math.abs(size - value) < Math.abs(SIZES[best] - value) ? index : best, 0);
const round = (value) => Number(value.toPrecision(3));

/** How the positions of a slider stand for values. */
const SHARE = { min: 0, max: 1, step: 0.01, value: round, position: Number,
  show: (value) => t("percent", { n: Math.round(100 * value) }) };
const SLIDERS = {
  strength: SHARE,
  style_scale: { min: -2, max: 2, step: 0.25, value: (at) => round(2 ** at), position: Math.log2,
    show: (value) => t("times", { n: round(value) }) },
  size: { min: 0, max: SIZES.length - 1, step: 1, value: (at) => SIZES[at], position: nearest,
    show: (value) => t("pixels", { n: value }) },
};
// Parts of a request that the page shows together with another.
const SHOWN_AT = { content_mask: "style", style_mask: "style", style_blend: "style",
  model: "style", protect: "content" };

/** How each control shows what is set. */
const refreshers = new Map();
const refreshAll = () => { for (const refresh of refreshers.values()) refresh(); };
export const optionTitle = (name) => word("options", name, true);

/** A slider with its value beside it, and a way back to the default. */
function slider({ name, scale, fixed = undefined, get, set }) {
  const title = optionTitle(name), output = el("output"), { min, max, step } = scale;
  const input = range({ id: `option-${name}`, min, max, step }, (at) => set(scale.value(at)));
  const back = () => { set(undefined); input.focus(); };
  const reset = iconButton("again", t("reset", { name: title }), back);
  refreshers.set(name, () => {
    const value = get() ?? fixed;
    const isNumber = typeof value === "number";
    const position = isNumber ? scale.position(value) : (min + max) / 2;
    // Dragged, it may stand between what is set.
    if (document.activeElement !== input || get() === undefined) input.value = String(position);
    output.textContent = isNumber ? scale.show(value) : value ?? t(`hint_${name}`);
    input.setAttribute("aria-valuetext", output.textContent);
    showAt(input);
    reset.hidden = get() === undefined;
  });
  return el("div", { class: "field", "data-option": name },
    el("label", { htmlFor: input.id }, title), output, reset, input);
}

const optionSlider = (spec) => slider({
  name: spec.name, scale: SLIDERS[spec.name] ?? { ...SHARE, min: spec.minimum, max: spec.maximum,
    step: "any", show: round },
  fixed: typeof spec.default === "number" ? spec.default : undefined,
  get: () => state.options[spec.name],
  set: (value) => setOption(spec.name, value === spec.default ? undefined : value),
});

const shown = (value) => value === null || value === undefined ? ""
  : typeof value === "object" ? Object.values(value).join(",") : String(value);

/** A field, or a choice among words. */
function field(spec, isFirst = false) {
  const { name, kind, words } = spec;
  const id = `option-${name}`, isSwitch = kind === "switch";
  const common = { id, "aria-describedby": isFirst ? null : `help-${name}` };
  const choices = (list) => list.map((value) =>
    el("option", { value }, isFirst ? word("words", value) : value));
  const control = kind === "word"
    ? el("select", common, choices(spec.default === null ? ["", ...words] : words))
    : isSwitch ? el("input", { ...common, type: "checkbox" })
      : el("input", { ...common, type: "text", autocomplete: "off", spellcheck: false,
        inputMode: kind === "number" ? "decimal" : kind === "whole" ? "numeric" : "text",
        placeholder: shown(spec.default) || t("automatic"), list: `words-${name}` });
  control.addEventListener("change", () => {
    const text = isSwitch ? control.checked : control.value.trim();
    const isNumber = ["number", "whole"].includes(kind) && text !== "" && !isNaN(Number(text));
    const value = isNumber ? Number(text) : text;
    setOption(name, value === "" || value === spec.default ? undefined : value);
  });
  refreshers.set(name, () => {
    const value = state.options[name];
    if (isSwitch) control.checked = value ?? spec.default;
    else control.value = shown(value ?? (kind === "word" ? spec.default : ""));
  });
  return el("div", { class: `field ${kind}`, "data-option": name },
    el("label", { htmlFor: id }, optionTitle(name)), control,
    kind === "word" ? null : el("datalist", { id: `words-${name}` }, choices(words)),
    isFirst ? null : el("p", { class: "help", id: `help-${name}` }, spec.help));
}

/** Presets as a choice; it sets all options. */
function presets(named) {
  const help = el("p", { class: "help", id: "help-presets" });
  const choices = [{ name: t("presets_none"), help: "", values: {} }, ...named];
  const select = el("select", { id: "presets", "aria-describedby": help.id },
    choices.map(({ name }) => el("option", {}, name)),
    el("option", { hidden: true, disabled: true }, t("presets_own")));
  select.addEventListener("change", () =>
    change({ options: { ...choices[select.selectedIndex]?.values } }));
  refreshers.set("presets", () => {
    const set = Object.entries(state.options);
    const index = choices.findIndex(({ values }) => set.length === Object.keys(values).length
      && set.every(([name, value]) => values[name] === value));
    // One that is chosen can be chosen again as soon as anything differs from it.
    select.selectedIndex = index < 0 ? choices.length : index;
    help.textContent = choices[index]?.help ?? "";
  });
  return el("div", { class: "field" },
    el("label", { htmlFor: "presets" }, t("presets")), select, help);
}

/** Build all controls once. */
export function buildOptions(form) {
  const first = form.options.filter(({ name }) => form.first.includes(name))
    .sort((a, b) => form.first.indexOf(a.name) - form.first.indexOf(b.name));
  $("first").append(...first.map((spec) =>
    spec.kind === "word" ? field(spec, true) : optionSlider(spec)));
  const rest = form.options.filter((spec) => !first.includes(spec) && spec.name !== "style_blend");
  $("options").append(presets(form.presets), ...[...new Set(rest.map(({ group }) => group))]
    .map((group) => el("section", {}, el("h3", {}, word("groups", group, true)),
      rest.filter((spec) => spec.group === group).map((spec) => field(spec)))));
  const setSteadiness = (value) => change({ steadiness: value ?? null });
  $("steadiness-part").append(slider({ name: "steadiness", scale: SHARE, set: setSteadiness,
    get: () => state.steadiness ?? undefined }));
  refreshAll();
  watch((part) => { if (part.options || "steadiness" in part) refreshAll(); });
}

export function clearErrors() {
  $("error").textContent = "";
  for (const node of all(".field-error")) node.remove();
  for (const node of all("[aria-invalid]")) node.ariaInvalid = null;
}

/** Show an error in the field that it names, or else beside the button. */
export function showError({ message, option = null }, takeFocus = false) {
  clearErrors();
  const name = SHOWN_AT[option] ?? option;
  const place = name && document.querySelector(`#make [data-option="${CSS.escape(name)}"]`);
  if (!place) return void ($("error").textContent = message);
  const control = $(`option-${name}`) ?? place.querySelector("input");
  control.ariaInvalid = "true";
  place.append(el("p", { class: "error field-error", role: "alert" }, message));
  if (!takeFocus) return;
  if (place.closest("details")) place.closest("details").open = true;
  place.scrollIntoView({ block: "center" });
  control.focus();
}
