/** What the person is making: kept in the browser, and the same in all tabs. */

const KEY = "tf_style_studio", MOST = 12;
/** `content` is a reference, "none" for a texture, or null before one is chosen; each of `styles`
 *  has ref, name, share and mask; `shown` is the job on the stage, `mine` what was brought here. */
const FRESH = JSON.stringify({ content: null, styles: [], several: false, protect: null,
  options: {}, steadiness: null, shown: null, mine: { content: [], style: [] } });

/** @returns {any} */
const kept = () => ({ ...JSON.parse(FRESH), ...JSON.parse(localStorage.getItem(KEY) ?? "{}") });
export const state = kept();
const listeners = new Set();
/** Call after each change, with whether it was made in this tab. */
export const watch = (listener) => listeners.add(listener);
const tell = (part, isOurs) => { for (const listener of listeners) listener(part, isOurs); };

/** @param {any} part */
export function change(part) {
  Object.assign(state, part);
  localStorage.setItem(KEY, JSON.stringify(state));
  tell(part, true);
}

addEventListener("storage", ({ key }) => {
  if (key === KEY) tell(Object.assign(state, kept()), false);
});

/** Keep a picture that was brought here, the newest first. */
export function remember(part, picture) {
  const others = state.mine[part].filter(({ ref }) => ref !== picture.ref);
  change({ mine: { ...state.mine, [part]: [picture, ...others].slice(0, MOST) } });
}

export const isCamera = () => document.body.dataset.mode === "camera";
export const isFilm = () => Boolean(state.content?.startsWith("film:"));
/** Whether this is a network of the person's own, which paints alone: no brushes, no blends. */
export const isNetwork = (ref) => /^network:/.test(ref);
export const isChosen = (ref) => state.styles.some((style) => style.ref === ref);

/** Choose a painting; where several are blended, one more or one less. */
export function chooseStyle({ ref, name }) {
  const chosen = { ref, name, share: 1, mask: null };
  if (!state.several || isNetwork(ref)) change({ styles: [chosen], several: false });
  else if (isChosen(ref)) change({ styles: state.styles.filter((style) => style.ref !== ref) });
  else change({ styles: [...state.styles.filter((style) => !isNetwork(style.ref)), chosen] });
}

export const changeStyle = (ref, part) => change({ styles: state.styles.map((style) =>
  style.ref === ref ? { ...style, ...part } : style) });

/** Set an option, or leave it to the package where the value is undefined. */
export function setOption(name, value) {
  const { [name]: _, ...others } = state.options;
  change({ options: value === undefined ? others : { ...others, [name]: value } });
}
