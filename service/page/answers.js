// The answers of a question, and below them the passages that fit, with what narrows them down.

import { send } from "./api.js";
import { announce, baseName, fill, foreign, h, marked, visible } from "./dom.js";
import { feedback } from "./feedback.js";
import { FACETS, showPassages, showFacets, chips, furtherFields } from "./passages.js";
import { keepsRecent, recent, remember, setKeepsRecent } from "./recent.js";
import { go, toFilters } from "./state.js";
import { setPlaces } from "./viewer.js";
import { inWords, percent, t } from "./words.js";

const ANSWERS = 5;
let call = null;

export function stopAsking() {
  call?.abort();
  call = null;
}

export function showAnswers(root, state, failed) {
  if (!state.q) return showWelcome(root);
  call = new AbortController();
  const { signal } = call;
  const again = () => showAnswers(root, state, failed);
  const answers = h("div", { class: "answers", "aria-busy": "true" }, h("p", { class: "loading" }, t("reading")));
  const passages = h("div", { class: "passages", "aria-busy": "true" });
  const facets = h("div", { class: "facets" });
  fill(root, h("h1", { class: "unseen" }, foreign(state.q)), chips(state), answers, h("div", { class: "lower" }, facets, passages));
  announce(t("loading"));
  const filters = toFilters(state.filter);
  const began = performance.now();
  const asking = send("/ask", { question: state.q, top_k: ANSWERS, filters }, signal).then((told) => {
    remember(state.q);
    drawAnswers(answers, told, performance.now() - began);
    return told;
  });
  const searching = send("/search", { query: state.q, filters, offset: 0, limit: 10 + state.offset, facets: FACETS }, signal).then((told) => {
    showPassages(passages, told, state);
    showFacets(facets, told, state);
    const more = furtherFields(told.results);
    // Fields that only this index has are counted once one knows of them; that they cannot be is no error to show.
    if (more.length) send("/search", { query: state.q, filters, limit: 1, facets: more }, signal).then((also) => showFacets(facets, { ...told, facets: { ...told.facets, ...also.facets } }, state)).catch(() => {});
    return told;
  });
  Promise.all([asking, searching])
    .then(([asked, found]) => setPlaces(asked, found))
    .catch((error) => {
      if (error.name === "AbortError") return;
      for (const part of [answers, passages]) if (part.querySelector(".loading") || !part.childElementCount) fill(part);
      failed(error, again);
    });
}

function showWelcome(root) {
  const asked = recent().slice(0, 8);
  fill(root, h("div", { class: "welcome" },
    h("h1", {}, t("title")), h("p", {}, t("welcome")),
    asked.length ? h("section", {}, h("h2", {}, t("recent")),
      h("ul", {}, asked.map((q) => h("li", {}, h("a", { href: `/?q=${encodeURIComponent(q)}`, onclick: (event) => { event.preventDefault(); go({ q, view: "", filter: [] }); } }, foreign(q))))),
      h("button", { type: "button", class: "plain", onclick: () => { setKeepsRecent(false); showWelcome(root); } }, t("forget_recent"))) : null,
    asked.length ? null : h("label", {}, h("input", { type: "checkbox", checked: keepsRecent(), onchange: (event) => setKeepsRecent(event.target.checked) }), " ", t("keep_recent"))));
}

/** One of "answer", "not_sure", "not_in_documents": as the server says, or as its older replies imply. */
export function stateOf(told) {
  if (told.state) return told.state;
  if (told.abstained || !told.answers.length) return "not_in_documents";
  return told.answers[0].probability < 0.4 ? "not_sure" : "answer";
}

function drawAnswers(root, told, took) {
  root.removeAttribute("aria-busy");
  const kind = stateOf(told);
  const [best, ...others] = told.answers;
  const parts = [];
  if (told.degraded) parts.push(h("p", { class: "notice" }, t("degraded", { what: told.degraded })));
  if (kind === "not_in_documents") {
    parts.push(h("h2", { class: "none" }, t("none")), h("p", {}, t("none_detail", { p: percent(told.no_answer_probability ?? 1) })));
    announce(t("none"));
  } else {
    if (kind === "not_sure") parts.push(h("p", { class: "unsure" }, h("strong", {}, t("unsure")), " ", t("unsure_detail")));
    parts.push(card(best, told, true));
    const different = kind === "answer" ? disagreement(told.answers) : null;
    if (different) parts.splice(parts.length - 1, 0, different);
    announce(`${kind === "not_sure" ? t("unsure") + ": " : ""}${best.answer}`);
  }
  const rest = kind === "not_in_documents" ? told.answers.slice(0, 3) : others;
  if (rest.length) {
    const list = h("div", { class: "others" }, rest.map((answer) => card(answer, told, false)));
    parts.push(kind === "not_in_documents" ? list : h("details", {}, h("summary", {}, `${t("others")} (${rest.length})`), list));
  }
  parts.push(h("p", { class: "took" }, t("took", { ms: Math.round(took) })));
  fill(root, parts);
}

/** "2 say 1856, 1 says 1857": when answers nearly as probable as the best say something else. */
function disagreement(answers) {
  const near = answers.filter((answer) => answer.probability >= 0.5 * answers[0].probability && answer.probability >= 0.25);
  if (near.length < 2) return null;
  return h("p", { class: "differ" }, t("differ"), " ", near.map((answer, number) => [
    number ? ", " : "", ...says(new Set((answer.places ?? [answer]).map((place) => place.source_id ?? place.document_id)).size || 1, answer.answer),
  ]));
}

function says(n, answer) {
  const [before, after] = t("says", { n, answer: "\u0001" }).split("\u0001");
  return [before, foreign(answer, "strong"), after];
}

function card(answer, told, best) {
  const place = { doc: answer.source_id, page: answer.page ?? 0, at: span(answer) };
  const sentence = h("p", { class: "context", dir: "auto" },
    marked(answer.context ?? answer.answer, [[answer.start_in_context ?? 0, answer.end_in_context ?? answer.answer.length]]));
  const more = (answer.places ?? []).slice(1);
  const open = answer.source_id ? h("button", { type: "button", data: { open: "yes" }, onclick: (event) => show(event, place) }, t("open")) : null;
  const article = h("article", { class: best ? "answer best" : "answer", tabindex: "0" },
    h(best ? "h2" : "h3", { class: "words", dir: "auto" }, visible(answer.answer)),
    extras(answer),
    meter(answer.probability, best && stateOf(told) === "answer"),
    sentence,
    whereLine(answer),
    h("div", { class: "row" }, open,
      h("button", { type: "button", class: "plain", data: { copy: "yes" }, onclick: (event) => copy(event.currentTarget, answer) }, t("copy"))),
    more.length ? h("details", { class: "places" }, h("summary", {}, t("places", { n: more.length })),
      h("ul", {}, more.map((other) => h("li", {}, h("button", { type: "button", class: "link", onclick: (event) => show(event, { doc: other.source_id, page: other.page ?? 0, at: span(other) }) }, ...where(other)))))) : null,
    best ? feedback(told, answer, sentence) : null);
  return article;
}

/** Yes, no, a sentence or a list beside the words, where the reader gives one. */
function extras(answer) {
  const said = answer.verdict ?? null;
  return said ? h("p", { class: "verdict" }, foreign(said)) : null;
}

function show(event, place) {
  document.querySelectorAll("[data-opened]").forEach((element) => element.removeAttribute("data-opened"));
  event.currentTarget.dataset.opened = "yes";
  go(place);
}

export function span(place) {
  return place.start_in_file === null || place.start_in_file === undefined ? null : [place.start_in_file, place.end_in_file];
}

function meter(probability, given) {
  const bar = h("span", { class: "bar", "aria-hidden": "true" }, h("span"));
  bar.firstChild.style.inlineSize = `${Math.round(probability * 100)}%`;
  bar.dataset.level = probability >= 0.65 ? "high" : probability >= 0.4 ? "middle" : "low";
  return h("p", { class: "meter", title: t("probability", { p: percent(probability) }) }, bar, h("span", {}, inWords(probability, given)), h("span", { class: "share" }, percent(probability)));
}

/** File, page, date, headings of an answer or a passage. */
export function where(place) {
  const parts = [foreign(baseName(place.file ?? place.title ?? ""), "span", { class: "file" })];
  const at = placeName(place);
  if (at) parts.push(foreign(at, "span", { class: "page" }));
  if (place.headings) parts.push(foreign(place.headings, "span", { class: "headings" }));
  const date = place.date ?? place.meta?.date;
  if (date) parts.push(foreign(String(date).slice(0, 10), "span", { class: "date" }));
  return parts;
}

function whereLine(place) {
  return h("p", { class: "where", title: visible(place.file ?? "") }, where(place));
}

/** "page iv", "slide 4", "sheet Prices": by the kind of place that the file has. */
export function placeName(place) {
  const label = place.page_label ?? place.page;
  if (label === null || label === undefined || label === "") return "";
  const kind = place.page_kind ?? "page";
  return t(["slide", "sheet"].includes(kind) ? kind : "page", { page: String(label) });
}

async function copy(button, answer) {
  const at = [baseName(answer.file ?? ""), placeName(answer)].filter(Boolean).join(", ");
  try {
    await navigator.clipboard.writeText(`“${answer.answer}” (${at})`);
  } catch {
    return;  // without permission, or without https: the words can be selected as usual
  }
  const before = button.textContent;
  button.textContent = t("copied");
  announce(t("copied"));
  setTimeout(() => { button.textContent = before; }, 1500);
}
