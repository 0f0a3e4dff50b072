// A document's text to read, with the answer's words marked: a window of it, more on demand.

import { get } from "./api.js";
import { fill, h, marked, Points, visible } from "./dom.js";
import { t } from "./words.js";

const WINDOW = 12_000;  // characters that are fetched at once
const LONGEST_LINE = 400;

export async function textView(content, document, at, signal) {
  fill(content, h("p", { class: "loading" }, t("loading")));
  const begin = Math.max(0, (at?.[0] ?? 0) - WINDOW / 3);
  const told = await get(`/documents/${document.id}/text`, { offset: Math.floor(begin), limit: WINDOW }, signal);
  const body = h("div", { class: "reading", dir: "auto" });
  const view = { document, at, signal, body, from: told.offset, to: told.offset + new Points(told.text).length, total: told.total, pages: told.page_starts ?? [] };
  fill(content, more(view, -1), body, more(view, 1));
  body.append(...blocks(view, told.text, told.offset));
  (body.querySelector("mark") ?? body.firstElementChild)?.scrollIntoView({ block: at ? "center" : "start" });
}

function more(view, direction) {
  const none = direction < 0 ? view.from === 0 : view.to >= view.total;
  if (none) return null;
  const button = h("button", { type: "button", class: "wide", onclick: () => fetchMore(view, direction, button) }, t(direction < 0 ? "earlier_text" : "later_text"));
  return button;
}

async function fetchMore(view, direction, button) {
  const offset = direction < 0 ? Math.max(0, view.from - WINDOW) : view.to;
  const limit = direction < 0 ? view.from - offset : WINDOW;
  const told = await get(`/documents/${view.document.id}/text`, { offset, limit }, view.signal);
  const parts = blocks(view, told.text, told.offset);
  if (direction < 0) { view.body.prepend(...parts); view.from = told.offset; }
  else { view.body.append(...parts); view.to = told.offset + new Points(told.text).length; }
  button.replaceWith(more(view, direction) ?? "");
}

/** Paragraphs, headings, rows of tables and page borders of a stretch of text that begins at `offset`. */
function blocks(view, text, offset) {
  const result = [];
  let at = offset;
  for (const part of text.split(/(\f|\n+)/)) {
    const length = new Points(part).length;
    if (part === "\f") {
      const page = view.pages.findLastIndex((start) => start <= at + 1) + 1;
      result.push(h("p", { class: "page-border" }, t("page", { page })));
    } else if (part.trim()) {
      const ranges = view.at ? [[view.at[0] - at, view.at[1] - at]].filter(([start, end]) => end > 0 && start < length).map(([start, end]) => [Math.max(0, start), end]) : [];
      result.push(row(part) && !ranges.length ? row(part) : h(heading(part) ? "h3" : "p", { data: { at } }, marked(part, ranges)));
    }
    at += length;
  }
  return result;
}

function heading(line) {
  return line.startsWith("# ") || line.startsWith("## ");
}

/** "name: cell; name: cell" reads better as a list of names and values. */
function row(line) {
  const cells = line.split("; ").map((cell) => cell.match(/^([^:]{1,60}): (.+)$/));
  if (cells.length < 2 || cells.some((cell) => !cell) || line.length > LONGEST_LINE) return null;
  return h("dl", { class: "cells" }, cells.map(([, name, value]) => h("div", {}, h("dt", {}, visible(name)), h("dd", {}, visible(value)))));
}
