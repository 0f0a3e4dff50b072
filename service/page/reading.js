// A document without pages, to read: its paragraphs, lines and rows, with the answer's words marked; more on demand.

import { get } from "./api.js";
import { fill, h, marked } from "./dom.js";
import { t } from "./words.js";

const BLOCKS = 200;  // that are fetched at once
const LONG_CELL = 60;  // characters that need a row of their own
const BEFORE = 40;  // of them before the answer

export async function textView(content, document, at, signal) {
  fill(content, h("p", { class: "loading" }, t("loading")));
  const marks = at ? { start: at[0], end: at[1] } : {};
  let told = await get(`/documents/${document.id}/view`, { limit: BLOCKS, ...marks }, signal);
  if (told.block !== null && told.block >= told.blocks.length) {
    told = await get(`/documents/${document.id}/view`, { offset: told.block - BEFORE, limit: BLOCKS, ...marks }, signal);
  }
  const body = h("div", { class: "reading", dir: "auto" });
  const view = { document, at, signal, body, from: told.offset, to: told.offset + told.blocks.length, total: told.total };
  fill(content, more(view, -1), body, more(view, 1));
  body.append(...draw(view, told.blocks));
  const first = body.querySelector("mark");
  // The text alone is scrolled: the answers beside it stay where they are.
  if (first) content.scrollTop += first.getBoundingClientRect().top - content.getBoundingClientRect().top - content.clientHeight / 2;
}

function more(view, direction) {
  if (direction < 0 ? view.from === 0 : view.to >= view.total) return null;
  const button = h("button", { type: "button", class: "wide", onclick: () => fetchMore(view, direction, button) }, t(direction < 0 ? "earlier_text" : "later_text"));
  return button;
}

async function fetchMore(view, direction, button) {
  const offset = direction < 0 ? Math.max(0, view.from - BLOCKS) : view.to;
  const limit = direction < 0 ? view.from - offset : BLOCKS;
  const told = await get(`/documents/${view.document.id}/view`, { offset, limit }, view.signal);
  const parts = draw(view, told.blocks);
  if (direction < 0) { view.body.prepend(...parts); view.from = offset; }
  else { view.body.append(...parts); view.to = offset + told.blocks.length; }
  button.replaceWith(more(view, direction) ?? "");
}

function draw(view, blocks) {
  const parts = [];
  let page = null;
  for (const block of blocks) {
    if (block.page !== null && block.page !== page) {
      if (page !== null) parts.push(h("p", { class: "page-border" }, t("page", { page: block.page })));
      page = block.page;
    }
    parts.push(block.cells.length > 1 ? row(view, block) : h("p", { id: block.anchor, class: block.kind }, marks(view, block.text, block.start)));
  }
  return parts;
}

/** A row's cells: "name: value" as a name above its value; a row without names as a line. */
function row(view, block) {
  const points = [...block.text];
  const cells = block.cells.map((cell) => {
    const text = points.slice(cell.start - block.start, cell.end - block.start).join("");
    return { ...cell, text, named: text.match(/^([^:]{1,60}): (?=\S)/) };
  });
  if (!cells.some((cell) => cell.named)) return h("p", { class: "line", id: block.anchor }, marks(view, block.text, block.start));
  return h("ul", { class: "cells", id: block.anchor }, cells.map(({ anchor, text, start, named }) => {
    const lead = named ? [...named[0]].length : 0;
    return h("li", { id: anchor, class: text.length > LONG_CELL ? "long" : null },
      named ? h("span", { class: "name" }, marks(view, named[1], start)) : null,
      h("span", {}, marks(view, [...text].slice(lead).join(""), start + lead)));
  }));
}

function marks(view, text, start) {
  return marked(text, view.at ? [[Math.max(0, view.at[0] - start), view.at[1] - start]].filter(([, end]) => end > 0) : []);
}
