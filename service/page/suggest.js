// Suggestions below the question: titles and headings one may see, and what was asked here before, if that is allowed.

import { get } from "./api.js";
import { fill, h, visible } from "./dom.js";
import { recent } from "./recent.js";
import { t } from "./words.js";

const PAUSE = 120;  // ms after the last key

/** A combobox after the ARIA pattern: the focus stays in the field, the chosen entry is named by it. */
export class Suggestions {
  constructor(input, list) {
    Object.assign(this, { input, list, entries: [], at: -1, timer: 0, call: null });
    input.addEventListener("input", () => this.later());
    input.addEventListener("keydown", (event) => this.key(event));
    input.addEventListener("blur", () => setTimeout(() => this.close(), 150));
  }

  later() {
    clearTimeout(this.timer);
    this.call?.abort();
    const text = this.input.value.trim();
    if (text.length < 2) return this.close();
    this.timer = setTimeout(() => this.fetch(text), PAUSE);
  }

  async fetch(text) {
    this.call = new AbortController();
    const before = recent().filter((asked) => asked.toLowerCase().startsWith(text.toLowerCase())).slice(0, 3).map((asked) => ({ text: asked, kind: "recent" }));
    let told = { suggestions: [] };
    try {
      told = await get("/suggestions", { q: text.slice(0, 200), limit: 6 }, this.call.signal);
    } catch {
      // Suggestions are a help; that there are none is no error to show.
    }
    if (document.activeElement !== this.input || this.input.value.trim() !== text) return;
    this.show([...before, ...told.suggestions]);
  }

  show(entries) {
    this.entries = entries;
    this.at = -1;
    this.list.hidden = !entries.length;
    this.input.setAttribute("aria-expanded", String(Boolean(entries.length)));
    this.input.removeAttribute("aria-activedescendant");
    fill(this.list, entries.map((entry, number) => h("li", {
      role: "option", id: `suggestion-${number}`, "aria-selected": "false",
      onmousedown: (event) => { event.preventDefault(); this.take(number); },
    }, h("bdi", {}, visible(entry.text)), h("small", {}, t(`suggestion_${entry.kind}`)))));
  }

  /** True when there was something to close. */
  close() {
    clearTimeout(this.timer);
    this.call?.abort();
    const open = !this.list.hidden;
    if (open) this.show([]);
    return open;
  }

  key(event) {
    if (this.list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const count = this.entries.length + 1;
      this.point((this.at + 1 + (event.key === "ArrowDown" ? 1 : count - 1)) % count - 1);
    } else if (event.key === "Enter" && this.at >= 0) {
      event.preventDefault();
      this.take(this.at);
    }
  }

  point(at) {
    this.at = at;
    [...this.list.children].forEach((item, number) => item.setAttribute("aria-selected", String(number === at)));
    if (at >= 0) this.input.setAttribute("aria-activedescendant", `suggestion-${at}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  take(number) {
    this.input.value = this.entries[number].text;
    this.close();
    this.input.form.requestSubmit();
  }
}
