/** Small helpers: elements, texts, times, messages, questions. */
import texts from "/page/texts.js";

/** @returns {any} */
export const $ = (id) => document.getElementById(id);
/** @returns {any} */
export const all = (selector) => document.querySelectorAll(selector);

/** The text of a key, with `{names}` replaced. */
export const t = (key, values = {}) =>
  (texts[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

/** What a word of the package is called here, or else the word, with a capital if asked for. */
export function word(group, name, isTitle = false) {
  const found = texts[group]?.[name] ?? String(name).replaceAll("_", " ");
  return isTitle ? found[0].toUpperCase() + found.slice(1) : found;
}

/** A new element: what it knows as properties is set, the rest become attributes. */
export function el(tag, properties = {}, ...children) {
  const made = ["svg", "path", "use"].includes(tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made && made instanceof HTMLElement && name !== "list") made[name] = value;
    else if (value !== undefined && value !== null) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null));
  return made;
}

export const icon = (name) => el("svg", { class: "icon", "aria-hidden": "true" },
  el("use", { href: `/page/icons.svg#${name}` }));
export const button = (label, onclick, properties = {}) =>
  el("button", { type: "button", onclick, ...properties }, label);
/** A button that shows an icon alone, with its name for those who do not see it. */
export const iconButton = (name, label, onclick, properties = {}) => button(icon(name), onclick,
  { className: "icon-button", title: label, "aria-label": label, ...properties });

/** Let the track of a slider show where it stands. */
export const showAt = (input) => input.style.setProperty("--at",
  `${100 * (Number(input.value) - Number(input.min)) / (Number(input.max) - Number(input.min))}%`);
export function range(properties, changed = (_) => undefined) {
  const input = el("input", { type: "range", ...properties });
  input.addEventListener("input", () => { showAt(input); changed(Number(input.value)); });
  showAt(input);
  return input;
}

/** Put the texts where the HTML names them. */
export function fill() {
  for (const node of all("[data-text]")) node.append(t(node.dataset.text));
  for (const node of all("[data-label]")) node.ariaLabel = t(node.dataset.label);
}

/** A span of time in words. */
export const time = (seconds) => seconds < 1 ? t("moment") : seconds < 120
  ? t("seconds", { n: Math.round(seconds) }) : t("minutes", { n: Math.round(seconds / 60) });

/** The same function, called once `wait` ms after the last of many calls, or not: `cancel()`. */
export function later(wait, call) {
  let timer = 0;
  const ask = () => { clearTimeout(timer); timer = setTimeout(call, wait); };
  ask.cancel = () => clearTimeout(timer);
  return ask;
}

const hide = later(4000, () => $("toast").classList.remove("seen"));
/** Say something that passes, seen and heard. */
export function say(message) {
  $("toast").textContent = message;
  $("toast").classList.add("seen");
  hide();
}

/** Ask in a dialogue; true if the person agrees. */
export function ask(question, answer) {
  const dialog = $("confirm");
  $("confirm-question").textContent = question;
  $("confirm-yes").textContent = answer;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
