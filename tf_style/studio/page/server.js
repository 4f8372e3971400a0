/** The server, as the page sees it: requests, uploads, and what it tells without being asked. */
import { t } from "/page/dom.js";

/** @typedef {{content: string|null, styles: string[], content_masks: string[],
 *    protect: string|null, options: Object<string, any>, draft: boolean}} Request */
/** @typedef {{id: string, state: string, draft: boolean, kind: string, request: Request,
 *    title: string, progress: number, seconds_left: number|null, scale: number, step: number,
 *    steps: number, seconds: number,
 *    loss: number[][], width: number, height: number, has_picture: boolean, created: number,
 *    why: string|null, notes: string[], error: {message: string, option: string|null}}} Job */

/** An error of the package, as it is, with the option that it names. */
export class Refused extends Error {
  constructor(message, option = null) { super(message); this.option = option; }
}

/** Ask the server; JSON comes back as data, anything else as text. */
export async function call(method, path, body, headers = {}) {
  const isJson = body !== undefined && !(body instanceof Blob);
  const answer = await fetch(path, { method, body: isJson ? JSON.stringify(body) : body,
    headers: isJson ? { "Content-Type": "application/json" } : headers,
  }).catch(() => { throw new Refused(t("unreachable")); });
  const text = await answer.text();
  const data = answer.headers.get("Content-Type")?.includes("json") ? JSON.parse(text) : text;
  if (answer.ok) return data;
  throw new Refused(data.error?.message ?? (text.trim() || answer.statusText), data.error?.option);
}

/** Send a picture, a mask or a film. @returns {Promise<{ref: string}>} */
export const upload = (blob, name, path = "/api/pictures") =>
  call("POST", path, blob, { "X-Name": encodeURIComponent(name) });

export const picture = (ref, side = 1024) =>
  `/api/pictures/${encodeURIComponent(ref)}?side=${side}`;
export const socket = (path) => new WebSocket(`${location.origin.replace(/^http/, "ws")}${path}`);

/** Listen to the server, again and again when it goes away and comes back: what is heard are a
 *  `message`, a `frame` with what it belongs to, and whether one is `connected`. */
export function listen(heard, wait = 500) {
  const events = socket("/api/events");
  events.binaryType = "arraybuffer";
  events.onopen = () => { heard.connected(true); wait = 500; };
  events.onmessage = ({ data }) => {
    if (typeof data === "string") return heard.message(JSON.parse(data));
    const length = new DataView(data).getUint32(0);
    const about = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    heard.frame(about, new Blob([data.slice(4 + length)]));
  };
  events.onclose = () => {
    heard.connected(false);
    setTimeout(() => listen(heard, Math.min(wait * 2, 8000)), wait);
  };
}
