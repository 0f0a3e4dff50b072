// Builds elements from text: nothing that comes from a document is ever parsed as HTML.

/** An element with attributes, listeners (`onclick`) and children; null and false are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "data") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Replaces what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Foreign text: isolated, so that its writing direction cannot reorder what stands beside it. */
export function foreign(text, tag = "bdi", attributes = {}) {
  return h(tag, { dir: "auto", ...attributes }, visible(text));
}

/** Control and direction characters are shown as a replacement mark instead of acting. */
export function visible(text) {
  // eslint-disable-next-line no-control-regex
  return String(text ?? "").replace(/[\u0000-\u0008\u000b\u000e-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, "\u00b7");
}

/** Offsets of the server count code points, strings of the browser count UTF-16 units. */
export class Points {
  constructor(text) {
    this.text = text;
    this.plain = !/[\ud800-\udbff]/.test(text);
    if (this.plain) return;
    this.units = [];
    let unit = 0;
    for (const point of text) {
      this.units.push(unit);
      unit += point.length;
    }
    this.units.push(unit);
  }

  get length() {
    return this.plain ? this.text.length : this.units.length - 1;
  }

  slice(start, end = this.length) {
    if (this.plain) return this.text.slice(start, end);
    const last = this.units.length - 1;
    return this.text.slice(this.units[Math.min(start, last)], this.units[Math.min(end, last)]);
  }

  /** The code point at which a UTF-16 offset lies. */
  at(unit) {
    if (this.plain) return unit;
    let low = 0, high = this.units.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.units[middle] < unit) low = middle + 1; else high = middle;
    }
    return low;
  }
}

/** Text with marked ranges, `[start, end]` in code points; overlapping ones are joined. */
export function marked(text, ranges, attributes = {}) {
  const points = new Points(text);
  const parts = [];
  let at = 0;
  for (const [start, end] of joined(ranges)) {
    if (end <= at || start >= points.length) continue;
    parts.push(visible(points.slice(at, Math.max(at, start))));
    parts.push(h("mark", attributes, visible(points.slice(Math.max(at, start), end))));
    at = end;
  }
  parts.push(visible(points.slice(at)));
  return parts;
}

function joined(ranges) {
  const sorted = ranges.filter(([start, end]) => end > start).sort((a, b) => a[0] - b[0]);
  const result = [];
  for (const [start, end] of sorted) {
    const last = result.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else result.push([start, end]);
  }
  return result;
}

/** Says something to screen readers without showing it. */
export function announce(text) {
  document.getElementById("status").textContent = text;
}

/** The last part of a path; `mail.eml > report.pdf` keeps both. */
export function baseName(file) {
  return String(file ?? "").split("/").pop() || String(file ?? "");
}
