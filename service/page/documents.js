// Documents: dropped or chosen, followed until they are searchable, listed with their state, deleted.

import { get, remove, upload } from "./api.js";
import { announce, fill, foreign, h } from "./dom.js";
import { confirmIt } from "./notices.js";
import { go } from "./state.js";
import { bytes, percent, t, typeName, when } from "./words.js";

const PAUSE = 700;  // ms between two looks at what is under way
const ENDS = new Set(["searchable", "refused", "failed", "deleted"]);
const AT_ONCE = 50;
let watching = 0;
let dropped = [];

export function stopWatching() {
  clearTimeout(watching);
}

addEventListener("filesdropped", (event) => { dropped = event.detail; dispatchEvent(new Event("dropwaiting")); });

export function showDocuments(root, me, failed) {
  const may = me.scopes.includes("upload") || me.scopes.includes("admin");
  const jobs = h("div", { class: "jobs", "aria-label": t("uploads"), role: "group" });
  const list = h("div", { class: "documents" });
  const view = { root, list, jobs, failed, may, name: "", state: "", offset: 0, known: new Map() };
  fill(root, h("h1", {}, t("documents")), may ? dropZone(view, me) : null, jobs, finder(view), list);
  load(view);
  if (may) {
    watch(view);
    const take = () => { if (dropped.length) send(view, dropped, me); dropped = []; };
    addEventListener("dropwaiting", take, { once: true });
    take();
  }
}

function dropZone(view, me) {
  const choose = h("input", { type: "file", multiple: true, id: "files", class: "unseen", onchange: (event) => { send(view, [...event.target.files], me); event.target.value = ""; } });
  const zone = h("div", { class: "drop" }, t("drop"), " ", choose, h("label", { for: "files", class: "button" }, t("choose")));
  const over = (on) => (event) => { event.preventDefault(); zone.classList.toggle("over", on); };
  zone.addEventListener("dragenter", over(true));
  zone.addEventListener("dragover", over(true));
  zone.addEventListener("dragleave", over(false));
  zone.addEventListener("drop", (event) => { over(false)(event); event.stopPropagation(); send(view, [...event.dataTransfer.files], me); });
  return zone;
}

function finder(view) {
  let timer = 0;
  return h("div", { class: "row" },
    h("input", { type: "search", "aria-label": t("find_documents"), placeholder: t("find_documents"), oninput: (event) => {
      clearTimeout(timer);
      timer = setTimeout(() => { view.name = event.target.value.trim(); view.offset = 0; load(view); }, 200);
    } }),
    h("select", { "aria-label": t("all_states"), onchange: (event) => { view.state = event.target.value; view.offset = 0; load(view); } },
      [["", t("all_states")], ["indexed", t("state_indexed")], ["refused", t("state_refused")], ["pending", t("state_pending")], ["queued", t("state_queued")]].map(([value, label]) => h("option", { value }, label))));
}

/** Files go in parts that the server takes at once; each part tells how much of it has left. */
async function send(view, files, me) {
  const most = me.limits?.max_upload_files ?? 64;
  for (let begin = 0; begin < files.length; begin += most) {
    const part = files.slice(begin, begin + most);
    const line = h("p", { class: "job" }, foreign(part.map((file) => file.name).slice(0, 3).join(", ") + (part.length > 3 ? " …" : "")), " ", h("progress", { max: 1, value: 0 }), h("span", {}));
    view.jobs.prepend(line);
    try {
      const told = await upload(part, {}, (share) => {
        line.querySelector("progress").value = share;
        line.lastChild.textContent = ` ${t("uploading", { p: percent(share) })}`;
      });
      line.remove();
      for (const job of told.jobs ?? []) keep(view, job);
      for (const refused of told.refused ?? []) view.jobs.prepend(h("p", { class: "job bad" }, foreign(refused.name), ": ", foreign(refused.detail ?? refused.reason)));
    } catch (error) {
      fill(line, h("span", { class: "bad", role: "alert" }, t("failed", { message: error.message })));
      view.failed(error);
    }
  }
  stopWatching();
  watch(view);
}

async function watch(view) {
  if (!view.list.isConnected) return;
  try {
    const told = await get("/jobs", { limit: 30 });
    let ended = false;
    for (const job of told.jobs ?? []) {
      const before = view.known.get(job.id);
      if (before && before.state !== job.state && ENDS.has(job.state)) { ended = true; announce(`${job.name}: ${t(`state_${job.state}`)}`); }
      if (before || !ENDS.has(job.state)) keep(view, job);
    }
    if (ended) load(view);
  } catch (error) {
    if (error.status && error.status !== 403) view.failed(error);
  }
  const busy = [...view.known.values()].some((job) => !ENDS.has(job.state));
  watching = setTimeout(() => watch(view), busy ? PAUSE : 10 * PAUSE);
}

const STEPS = ["queued", "converting", "splitting", "embedding", "writing", "searchable"];

function keep(view, job) {
  view.known.set(job.id, job);
  const id = `job-${job.id}`;
  const done = STEPS.indexOf(job.state);
  const line = h("p", { class: `job ${job.state}`, id },
    foreign(job.name, "span", { class: "file" }), " ", h("span", { class: "state" }, t(`state_${job.state}`)),
    done >= 0 && !ENDS.has(job.state) ? h("progress", { max: STEPS.length - 1, value: done, "aria-label": t(`state_${job.state}`) }) : null,
    job.passages ? ` · ${t("passages_n", { n: job.passages })}` : null,
    job.detail || job.reason ? [" · ", foreign(job.detail ?? job.reason, "span", { class: "reason" })] : null);
  const old = document.getElementById(id);
  if (old) old.replaceWith(line);
  else view.jobs.prepend(line);
}

async function load(view) {
  let told;
  try {
    told = await get("/documents", { name: view.name, state: view.state, offset: view.offset, limit: AT_ONCE, sort: "added", descending: true });
  } catch (error) {
    return view.failed(error, () => load(view));
  }
  if (!told.total && !view.name && !view.state) return fill(view.list, h("p", {}, t("no_documents")));
  const page = (by) => { view.offset += by; load(view); };
  return fill(view.list,
    h("p", { class: "count" }, t("documents_n", { n: told.total })),
    h("ul", {}, told.documents.map((document) => line(view, document))),
    told.total > AT_ONCE ? h("div", { class: "row" },
      h("button", { type: "button", disabled: !view.offset, onclick: () => page(-AT_ONCE) }, "‹"),
      h("button", { type: "button", disabled: view.offset + AT_ONCE >= told.total, onclick: () => page(AT_ONCE) }, "›")) : null);
}

function line(view, document) {
  const readable = document.state === "indexed";
  const name = document.name ?? document.file;
  return h("li", { class: document.state },
    readable ? h("button", { type: "button", class: "link file", data: { opened: null }, onclick: () => go({ doc: document.id, page: document.pages ? 1 : 0, at: null }) }, foreign(name)) : foreign(name, "span", { class: "file" }),
    h("span", { class: "facts" }, [
      document.mime_type ? typeName(document.mime_type) : null, bytes(document.size), document.passages ? t("passages_n", { n: document.passages }) : null,
      document.added ? t("indexed_when", { when: when(document.added) }) : null,
    ].filter(Boolean).join(" · ")),
    readable ? null : h("span", { class: "state" }, t(`state_${document.state}`)),
    document.reason ? foreign(document.reason, "span", { class: "reason" }) : null,
    view.may ? h("button", { type: "button", class: "plain", "aria-label": `${t("delete")}: ${name}`, onclick: () => erase(view, document) }, t("delete")) : null);
}

async function erase(view, document) {
  const name = document.name ?? document.file;
  if (!(await confirmIt(t("delete_sure", { name }), t("delete")))) return;
  try {
    const told = await remove(`/documents/${document.id}`);
    if (told?.job) keep(view, told.job);
    announce(`${name}: ${t("state_deleted")}`);
  } catch (error) {
    view.failed(error);
  }
  load(view);
}
