// The document beside the results, at the answer: the picture of its page, or its text with the words marked.

import { blob, get } from "./api.js";
import { baseName, fill, foreign, h, visible } from "./dom.js";
import { textView } from "./reading.js";
import { go } from "./state.js";
import { t } from "./words.js";

const ZOOMS = [0.6, 0.8, 1, 1.3, 1.7, 2.2, 3];
const DPI = 110;  // of a page that fills the width
let places = new Map();  // document -> [[start, end, page, rectangles]], in the order of its text
let open = null;  // what is shown: {doc, document, mode, zoom, call, urls}

/** Every place of the answers and passages on the left, so that one can walk through those of a document. */
export function setPlaces(asked, found) {
  places = new Map();
  const add = (place) => {
    if (!place.source_id || place.start_in_file === null || place.start_in_file === undefined) return;
    const list = places.get(place.source_id) ?? [];
    if (!list.some(([start, end]) => start === place.start_in_file && end === place.end_in_file)) list.push([place.start_in_file, place.end_in_file, place.page ?? 0, place.rectangles ?? []]);
    places.set(place.source_id, list);
  };
  for (const answer of asked?.answers ?? []) (answer.places ?? [answer]).forEach(add);
  for (const result of found?.results ?? []) add(result);
  for (const list of places.values()) list.sort((a, b) => a[0] - b[0]);
  if (open) drawBar();
}

export function closeViewer(root) {
  if (open) release();
  open = null;
  root.hidden = true;
  root.replaceChildren();
}

function release() {
  open.call?.abort();
  open.urls.forEach((url) => URL.revokeObjectURL(url));
  open.urls = [];
}

export async function showViewer(root, state, failed) {
  const same = open?.doc === state.doc;
  if (same && open.page === state.page && String(open.at) === String(state.at) && open.document) return;
  if (open) release();
  open = { zoom: ZOOMS.indexOf(1), urls: [], ...(same ? open : {}), doc: state.doc, page: state.page, at: state.at, root, failed };
  if (!same) { open.document = null; open.mode = null; }
  const mine = open;  // a reader who closes it or goes on meanwhile leaves an answer that nobody waits for
  mine.call = new AbortController();
  root.hidden = false;
  try {
    if (!mine.document) {
      fill(root, h("p", { class: "loading" }, t("loading")));
      mine.document = await get(`/documents/${state.doc}`, {}, mine.call.signal);
      if (open !== mine) return;
    }
    open.mode ??= hasPages() ? "page" : "text";
    draw();
    if (!same) root.focus({ preventScroll: true });
  } catch (error) {
    if (open !== mine) return;
    fill(root, closeButton());
    failed(error, () => showViewer(root, state, failed));
  }
}

function hasPages() {
  return open.document.mime_type === "application/pdf" && Boolean(open.document.pages);
}

function closeButton() {
  return h("button", { type: "button", class: "plain", "aria-label": t("close"), title: t("close"), onclick: () => dispatchEvent(new Event("closeviewer")) }, "×");
}

function draw() {
  const bar = h("div", { class: "bar-row", id: "viewer-bar" });
  const content = h("div", { class: "content", id: "viewer-content", tabindex: "0", role: "region", "aria-label": visible(baseName(open.document.name ?? open.document.file)) });
  fill(open.root, h("div", { class: "row spread" }, h("h2", {}, foreign(baseName(open.document.name ?? open.document.file))), closeButton()), bar, content);
  drawBar();
  if (open.mode === "page") drawPage(content);
  else {
    const { document: shown, at, call, failed } = open;
    textView(content, shown, at, call.signal).catch(failed);
  }
}

function button(label, text, does, off = false) {
  return h("button", { type: "button", class: "plain", "aria-label": label, title: label, disabled: off, onclick: does }, text);
}

function drawBar() {
  const bar = document.getElementById("viewer-bar");
  if (!bar || !open?.document) return;
  const hits = places.get(open.doc) ?? [];
  const at = hits.findIndex(([start]) => open.at && start === open.at[0]);
  const paged = open.mode === "page";
  const page = open.page || 1;
  fill(bar,
    paged ? [button(t("previous_page"), "‹", () => turn(-1), page <= 1), h("span", {}, t("page_of", { page, pages: open.document.pages })),
      button(t("next_page"), "›", () => turn(1), page >= open.document.pages),
      button(t("zoom_out"), "−", () => zoom(-1), open.zoom === 0), button(t("zoom_in"), "+", () => zoom(1), open.zoom === ZOOMS.length - 1)] : null,
    hits.length > 1 ? [button(t("previous_hit"), "↑", () => hit(-1)), h("span", {}, t("hit_of", { n: at < 0 ? 1 : at + 1, total: hits.length })), button(t("next_hit"), "↓", () => hit(1))] : null,
    hasPages() ? button(t(paged ? "as_text" : "as_page"), t(paged ? "as_text" : "as_page"), () => { open.mode = paged ? "text" : "page"; draw(); }) : null,
    button(t("download"), "⤓", download));
}

async function drawPage(content) {
  const mine = open;
  const page = open.page || 1;
  const zoom = ZOOMS[open.zoom];
  const dpi = Math.round(Math.min(300, DPI * Math.max(1, zoom) * Math.min(2, devicePixelRatio)));
  const marks = open.at ? `&start=${open.at[0]}&end=${open.at[1]}` : "";
  const image = h("img", { alt: t("page_alt", { page, file: baseName(open.document.name ?? "") }), class: "page-image" });
  image.style.inlineSize = `${100 * zoom}%`;
  fill(content, h("p", { class: "loading" }, t("loading")));
  try {
    const url = URL.createObjectURL(await blob(`/documents/${mine.doc}/pages/${page}?dpi=${dpi}${marks}`, mine.call.signal));
    if (open !== mine) return URL.revokeObjectURL(url);
    mine.urls.push(url);
    image.src = url;
    await image.decode().catch(() => {});
    if (open !== mine) return;
    fill(content, image);
    scrollToMark(content, image, page, dpi);
  } catch (error) {
    if (error.name === "AbortError" || open !== mine) return;
    if (error.status === 409) { open.mode = "text"; draw(); return; }
    fill(content);
    open.failed(error, draw);
  }
}

/** Rectangles are in points from the top of the page; the first one is brought to the upper third. */
function scrollToMark(content, image, page, dpi) {
  const shown = (places.get(open.doc) ?? []).find(([start, end]) => open.at && start === open.at[0] && end === open.at[1]);
  const box = shown?.[3].find((rectangle) => rectangle.page === page);
  if (!box) return;
  const scale = (image.clientHeight / image.naturalHeight) * (dpi / 72);
  content.scrollTop = Math.max(0, box.y0 * scale - content.clientHeight / 3);
  content.scrollLeft = Math.max(0, (box.x0 + box.x1) / 2 * scale - content.clientWidth / 2);
}

function turn(by) {
  const page = Math.max(1, Math.min(open.document.pages, (open.page || 1) + by));
  if (page !== open.page) go({ page }, true);
}

function zoom(by) {
  const next = Math.max(0, Math.min(ZOOMS.length - 1, open.zoom + by));
  if (next !== open.zoom) { open.zoom = next; draw(); }
}

function hit(by) {
  const hits = places.get(open.doc) ?? [];
  if (!hits.length) return;
  const at = hits.findIndex(([start]) => open.at && start === open.at[0]);
  const [start, end, page] = hits[(Math.max(at, 0) + by + hits.length) % hits.length];
  go({ at: [start, end], page }, true);
}

async function download() {
  const { doc, document: shown, call, failed } = open;
  try {
    const url = URL.createObjectURL(await blob(`/documents/${doc}/original`, call.signal));
    h("a", { href: url, download: baseName(shown.name ?? shown.file).replace(/[\u0000-\u001f\u202a-\u202e\u2066-\u2069/\\]/g, "_") }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  } catch (error) {
    failed(error);
  }
}

/** Keys while a document is open. */
export function viewerKey(event) {
  if (!open?.document) return;
  const does = { ArrowLeft: () => turn(-1), ArrowRight: () => turn(1), n: () => hit(1), p: () => hit(-1), "+": () => zoom(1), "=": () => zoom(1), "-": () => zoom(-1) }[event.key];
  if (!does || (open.mode !== "page" && event.key.startsWith("Arrow"))) return;
  event.preventDefault();
  does();
}

