// Ordinary results: the passages that fit, with counts to narrow them down.

import { fill, foreign, h, marked, visible } from "./dom.js";
import { where } from "./answers.js";
import { go, untyped } from "./state.js";
import { t, typeName } from "./words.js";

export const FACETS = ["mime_type", "folder", "author", "date", "year", "language", "file_name"];
// What tells of the passage, not of its document.
const OWN = /^(source_|split_|page|start|end|passage|heading|title$|file_path$|date$|place)/;
const MOST_FIELDS = 8;
const SHOWN_CHARACTERS = 420;
const SHOWN_VALUES = 8;

/** Fields of these passages' metadata by which they can be narrowed down, beside those that are counted anyway. */
export function furtherFields(results) {
  const fields = new Set();
  for (const { meta } of results) {
    for (const [name, value] of Object.entries(meta ?? {})) {
      const short = typeof value === "string" ? value.length <= 60 : ["number", "boolean"].includes(typeof value);
      if (short && !OWN.test(name) && !FACETS.includes(name)) fields.add(name);
    }
  }
  return [...fields].slice(0, MOST_FIELDS);
}

export function chips(state) {
  if (!state.filter.length) return null;
  return h("div", { class: "chips", role: "group", "aria-label": t("filters") },
    state.filter.map(([field, value]) => h("button", {
      type: "button", class: "chip", "aria-label": t("remove_filter", { name: fieldName(field), value: valueName(field, value) }),
      onclick: () => go({ filter: without(state.filter, field, value), offset: 0 }),
    }, fieldName(field), ": ", foreign(valueName(field, value)), " ×")),
    state.filter.length > 1 ? h("button", { type: "button", class: "plain", onclick: () => go({ filter: [], offset: 0 }) }, t("clear_filters")) : null);
}

function without(filter, field, value) {
  return filter.filter(([name, wanted]) => name !== field || wanted !== value);
}

function fieldName(field) {
  const told = t(`facet_${field}`);
  return told.startsWith("facet_") ? field : told;
}

function valueName(field, value) {
  const text = String(value).replace(/^#/, "");
  return field === "mime_type" ? typeName(text) : text;
}

export function showPassages(root, told, state) {
  root.removeAttribute("aria-busy");
  const spelled = told.did_you_mean ? h("p", { class: "meant" }, t("did_you_mean"), " ",
    h("a", { href: `/?q=${encodeURIComponent(told.did_you_mean)}`, onclick: (event) => { event.preventDefault(); go({ q: told.did_you_mean, offset: 0 }); } }, foreign(told.did_you_mean)), "?") : null;
  if (!told.results.length) {
    fill(root, spelled, h("p", {}, t(state.filter.length ? "no_results_filtered" : "no_results")),
      state.filter.length ? h("button", { type: "button", onclick: () => go({ filter: [] }) }, t("clear_filters")) : null);
    return;
  }
  const sort = h("select", { "aria-label": t("sort"), onchange: (event) => go({ sort: event.target.value }, true) },
    ["", "new", "name"].map((value) => h("option", { value, selected: value === state.sort }, t(`sort_${value || "fit"}`))));
  fill(root, spelled,
    h("div", { class: "row spread" }, h("h2", {}, t("result_heading")),
      h("span", { class: "count" }, t(told.more ? "results_more" : "results_n", { n: told.total })), sort),
    ordered(told.results, state.sort).map(passage),
    told.results.length < told.total || told.more ? h("button", { type: "button", class: "wide", onclick: () => go({ offset: state.offset + 10 }, true) }, t("more")) : null);
}

function ordered(results, sort) {
  if (sort === "name") return [...results].sort((a, b) => String(a.file).localeCompare(String(b.file)) || (a.start_in_file ?? 0) - (b.start_in_file ?? 0));
  if (sort === "new") return [...results].sort((a, b) => date(b).localeCompare(date(a)));
  return results;
}

function date(result) {
  return String(result.meta?.date ?? result.meta?.modified ?? "");
}

function passage(result) {
  const [text, ranges] = excerpt(result);
  const place = { doc: result.source_id, page: result.page ?? 0, at: result.start_in_file === null ? null : [result.start_in_file, result.end_in_file] };
  return h("article", { class: "passage", tabindex: "0" },
    h("p", { class: "where", title: visible(result.file ?? "") }, where(result)),
    h("p", { class: "context", dir: "auto" }, marked(text, ranges, { class: "hit" })),
    result.source_id ? h("button", { type: "button", class: "link", data: { open: "yes" }, onclick: (event) => { event.currentTarget.dataset.opened = "yes"; go(place); } }, t("open")) : null);
}

/** The part of a long passage around the first words that fit. */
function excerpt(result) {
  const points = [...result.content];
  if (points.length <= SHOWN_CHARACTERS) return [result.content, result.highlights];
  const first = result.highlights[0]?.[0] ?? 0;
  const start = Math.max(0, Math.min(first - 80, points.length - SHOWN_CHARACTERS));
  const end = Math.min(points.length, start + SHOWN_CHARACTERS);
  const lead = start > 0 ? "… " : "";
  const ranges = result.highlights.filter(([begin]) => begin >= start && begin < end).map(([begin, stop]) => [begin - start + lead.length, Math.min(stop, end) - start + lead.length]);
  return [`${lead}${points.slice(start, end).join("")}${end < points.length ? " …" : ""}`, ranges];
}

export function showFacets(root, told, state) {
  const chosen = new Set(state.filter.map(([field, value]) => `${field}:${value}`));
  const groups = Object.entries(told.facets ?? {})
    .map(([field, values]) => [field, values.filter(({ value }) => value !== null && value !== "")])
    .filter(([field, values]) => values.length > 1 || values.some(({ value }) => chosen.has(`${field}:${untyped(value)}`)));
  fill(root, groups.length ? h("details", { open: matchMedia("(min-width: 900px)").matches }, h("summary", {}, t("filters")),
    groups.map(([field, values]) => h("fieldset", {}, h("legend", {}, fieldName(field)),
      values.slice(0, SHOWN_VALUES).map(({ value, count }) => {
        const text = untyped(value);
        const on = chosen.has(`${field}:${text}`);
        return h("label", {}, h("input", {
          type: "checkbox", checked: on,
          onchange: () => go({ filter: on ? without(state.filter, field, text) : [...state.filter, [field, text]], offset: 0 }),
        }), " ", foreign(valueName(field, text)), h("span", { class: "count" }, String(count)));
      })))) : null);
}
