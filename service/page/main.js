// The page as a whole: what the address says is what is shown; keys; language; who one is.

import { ServerError, get, getKey, setKey } from "./api.js";
import { announce, fill, h } from "./dom.js";
import { showAdmin } from "./admin.js";
import { showAnswers, stopAsking } from "./answers.js";
import { showDocuments, stopWatching } from "./documents.js";
import { askForKey, showHelp, showNotice, clearNotice } from "./notices.js";
import { readState, go } from "./state.js";
import { Suggestions } from "./suggest.js";
import { closeViewer, showViewer, viewerKey } from "./viewer.js";
import { LANGUAGES, language, setLanguage, t } from "./words.js";

const results = document.getElementById("results");
const viewer = document.getElementById("viewer");
const input = document.getElementById("question");
let me = { name: "", scopes: [], needs_key: false, limits: {} };
let shown = "";

function words() {
  document.documentElement.lang = language;
  document.title = t("title");
  document.getElementById("skip").textContent = t("skip");
  document.getElementById("go").textContent = t("ask");
  document.getElementById("suggestions").setAttribute("aria-label", t("suggestions"));
  document.getElementById("search").setAttribute("aria-label", t("ask"));
  input.placeholder = t("placeholder");
  input.setAttribute("aria-label", t("question"));
  const may = (scope) => me.scopes.includes(scope) || me.scopes.includes("admin");
  const view = readState().view;
  const link = (name, label) => h("a", { href: `/?view=${name}`, "aria-current": view === name ? "page" : null, onclick: follow }, label);
  fill(
    document.getElementById("nav"),
    me.scopes.length ? link("documents", t("documents")) : null,
    may("admin") ? link("admin", t("admin")) : null,
    h("select", { "aria-label": t("language"), onchange: (event) => { setLanguage(event.target.value); words(); shown = ""; render(); } },
      Object.entries(LANGUAGES).map(([code, told]) => h("option", { value: code, selected: code === language, lang: code }, told.name))),
    getKey() ? h("button", { type: "button", class: "plain", onclick: () => { setKey(null); location.assign("/"); } }, t("sign_out")) : null,
    h("button", { type: "button", class: "plain", "aria-label": t("help"), title: t("help"), onclick: showHelp }, "?"),
  );
}

/** Links inside the page change the address without loading it anew. */
function follow(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  history.pushState(null, "", event.currentTarget.getAttribute("href"));
  render();
}

function render() {
  const state = readState();
  const left = JSON.stringify([state.q, state.view, state.filter, state.sort, state.offset]);
  words();
  if (left !== shown) {
    shown = left;
    stopAsking();
    stopWatching();
    clearNotice();
    if (document.activeElement !== input) input.value = state.q;
    if (state.view === "documents") showDocuments(results, me, failed);
    else if (state.view === "admin") showAdmin(results, failed);
    else showAnswers(results, state, failed);
  }
  document.body.classList.toggle("viewing", Boolean(state.doc));
  if (state.doc) showViewer(viewer, state, failed);
  else closeViewer(viewer);
}

/** What every part calls when the server says no. `again` tries the same once more. */
function failed(error, again) {
  if (error.name === "AbortError") return;
  if (!(error instanceof ServerError)) throw error;
  if (error.status === 401) askForKey(Boolean(getKey()), start);
  else showNotice(error, again);
}

async function start() {
  words();
  try {
    me = await get("/me");
  } catch (error) {
    words();
    failed(error, start);
    return;
  }
  input.maxLength = me.limits?.max_question_characters ?? 1000;
  shown = "";
  render();
}

document.getElementById("home").addEventListener("click", (event) => {
  follow(event);
  input.value = "";
  input.focus();
});

const suggestions = new Suggestions(input, document.getElementById("suggestions"));
document.getElementById("search").addEventListener("submit", (event) => {
  event.preventDefault();
  suggestions.close();
  const q = input.value.trim();
  if (!q) return input.focus();
  shown = "";  // asking the same again asks again
  input.blur();
  if (q === readState().q && !readState().view) render();
  else go({ q, view: "", doc: "", page: 0, at: null, offset: 0, filter: readState().view ? [] : readState().filter });
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, textarea, select");
  if (event.ctrlKey || event.metaKey || event.altKey || document.getElementById("dialog").open) return;
  if (event.key === "Escape") {
    if (suggestions.close()) return;
    if (typing) return event.target.blur();
    if (readState().doc) { closeView(); }
    return;
  }
  if (typing) return;
  if (event.key === "/") { event.preventDefault(); input.focus(); input.select(); return; }
  if (event.key === "?") { event.preventDefault(); return showHelp(); }
  if (event.key === "ArrowDown" || event.key === "ArrowUp") return step(event);
  if (event.key === "c") return document.activeElement.closest?.(".answer, .passage")?.querySelector("[data-copy]")?.click();
  if (event.key === "Enter" && document.activeElement.matches(".answer, .passage")) return document.activeElement.querySelector("[data-open]")?.click();
  if (readState().doc) viewerKey(event);
});

function closeView() {
  const from = document.querySelector(`[data-opened="yes"]`);
  go({ doc: "", page: 0, at: null });
  (from ?? results).focus();
}

addEventListener("closeviewer", closeView);

/** Moves along answers and passages; inside the document's text the arrows scroll as usual. */
function step(event) {
  if (event.target.closest("#viewer")) return;
  const items = [...results.querySelectorAll(".answer, .passage")];
  if (!items.length) return;
  event.preventDefault();
  const at = items.indexOf(document.activeElement.closest?.(".answer, .passage"));
  const next = items[Math.max(0, Math.min(items.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

addEventListener("popstate", () => { input.blur(); render(); });
addEventListener("statechange", render);
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();  // a file that misses its place must not replace the page
  if (event.dataTransfer?.files.length && readState().view !== "documents") {
    go({ view: "documents", q: "", doc: "", filter: [] });
    dispatchEvent(new CustomEvent("filesdropped", { detail: [...event.dataTransfer.files] }));
  }
});
addEventListener("online", () => clearNotice());
announce("");
start();
