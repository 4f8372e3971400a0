/** Results as thumbnails, the queue among them; each can be shown and deleted. */
import { $, ask, button, el, iconButton, say, t } from "/page/dom.js";
import { call } from "/page/server.js";
import { factsOf, isRunning, jobs, madeWith, thumbnail, titleOf } from "/page/stage.js";
import { change, state } from "/page/state.js";

const remove = (method, path) => call(method, path).then(
  () => say(t("deleted")), (error) => say(error.message));

async function removeOne(job) {
  if (isRunning(job)) return remove("POST", `/api/jobs/${job.id}/cancel`);
  const question = t("delete_one_sure", { title: titleOf(job) });
  if (await ask(question, t("delete_yes"))) remove("DELETE", `/api/jobs/${job.id}`);
}

/** What is shown of each job. @type {Map<string, any>} */
const items = new Map();

/** The item of one job, made once and changed after. */
function item({ id }) {
  const parts = { image: el("img", { alt: "", decoding: "async" }), name: el("span"),
    fact: el("span", { class: "fact" }), bar: el("progress", { max: 1, ariaLabel: t("progress") }),
    remove: iconButton("close", "", () => removeOne(jobs.get(id))) };
  const show = button("", () => change({ shown: id }), { className: "result" });
  show.append(parts.image, parts.name, parts.fact, parts.bar);
  items.set(id, { ...parts, show, node: el("li", { "data-job": id }, show, parts.remove) });
  return items.get(id);
}

function refresh(parts, job) {
  const source = thumbnail(job), title = titleOf(job), facts = factsOf(job);
  if (parts.image.getAttribute("src") !== source) parts.image.src = source;
  parts.name.textContent = title;
  parts.fact.textContent = facts;
  parts.bar.hidden = !isRunning(job);
  parts.bar.value = job.progress;
  parts.remove.ariaLabel = parts.remove.title = t("delete", { title });
  parts.node.dataset.state = job.state;
  parts.show.ariaCurrent = String(state.shown === job.id);
  const made = madeWith(job).map((each) => each.join(" "));
  parts.show.title = [title, facts, ...made].join("\n");
}

/** Show all jobs, newest first; drafts are passing and not among them. */
export function showHistory() {
  const all = [...jobs.values()].filter((job) => !job.draft && job.state !== "cancelled")
    .sort((a, b) => b.created - a.created);
  for (const [id, { node }] of items) {
    if (all.some((job) => job.id === id)) continue;
    node.remove();
    items.delete(id);
  }
  all.forEach((job, index) => {
    const parts = items.get(job.id) ?? item(job);
    const there = $("results").children[index];
    if (there !== parts.node) $("results").insertBefore(parts.node, there ?? null);
    refresh(parts, job);
  });
  $("history").hidden = !all.length;
  $("history-clear").disabled = all.every(isRunning);
}

$("history-clear").addEventListener("click", async () => {
  if (await ask(t("delete_sure"), t("delete_all"))) remove("DELETE", "/api/jobs");
});
