// What stands in the way: busy, offline, no key, an error; and the help for the keyboard.

import { fill, foreign, h } from "./dom.js";
import { get, setKey } from "./api.js";
import { t } from "./words.js";

const notice = document.getElementById("notice");
const dialog = document.getElementById("dialog");
let timer = 0;

export function clearNotice() {
  clearInterval(timer);
  notice.replaceChildren();
}

/** Tells an error of the server; what passes by itself is tried again after a while. */
export function showNotice(error, again) {
  clearInterval(timer);
  const passes = [0, 429, 502, 503].includes(error.status);
  const text = h("span");
  const button = again ? h("button", { type: "button", onclick: () => { clearNotice(); again(); } }, t("retry")) : null;
  fill(notice, h("div", { class: passes ? "notice" : "notice bad" }, text, button));
  if (!passes || !again) {
    fill(text, error.status === 504 ? t("too_late") : error.status === 403 ? t("forbidden") : [message(error)]);
    return;
  }
  let left = error.retryAfter ?? 5;
  const tick = () => {
    text.textContent = t(error.status === 0 ? "offline" : "busy", { n: left });
    if (left === 0) { clearNotice(); again(); }
    left -= 1;
  };
  tick();
  timer = setInterval(tick, 1000);
}

function message(error) {
  const [before, after] = t("failed", { message: "\u0001" }).split("\u0001");
  return h("span", {}, before, foreign(error.message), after);
}

export function askForKey(wasWrong, then) {
  const key = h("input", { type: "password", id: "key", autocomplete: "current-password", required: true });
  const keep = h("input", { type: "checkbox", id: "keep" });
  const wrong = h("p", { class: "bad", role: "alert" }, wasWrong ? t("key_wrong") : "");
  const send = async (event) => {
    event.preventDefault();
    setKey(key.value.trim(), keep.checked);
    try {
      await get("/me");
      dialog.close();
      then();
    } catch (error) {
      setKey(null);
      wrong.textContent = error.status === 401 ? t("key_wrong") : error.message;
      key.select();
    }
  };
  open(h("form", { class: "stack", onsubmit: send },
    h("h2", { id: "dialog-title" }, t("key_title")), h("p", {}, t("key_detail")),
    h("label", { for: "key" }, t("key")), key,
    h("label", {}, keep, " ", t("key_keep")), wrong,
    h("button", { type: "submit" }, t("key_use"))));
  key.focus();
}

export function showHelp() {
  open(h("div", { class: "stack" },
    h("h2", { id: "dialog-title" }, t("help_title")),
    h("dl", { class: "keys" }, t("keys").map(([key, does]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, does)])),
    h("button", { type: "button", onclick: () => dialog.close() }, t("close"))));
}

/** Asks yes or no; true for yes. */
export function confirmIt(question, yes) {
  return new Promise((resolve) => {
    const answer = (value) => () => { dialog.close(); resolve(value); };
    open(h("div", { class: "stack" },
      h("h2", { id: "dialog-title" }, question),
      h("div", { class: "row" },
        h("button", { type: "button", onclick: answer(true) }, yes),
        h("button", { type: "button", class: "plain", onclick: answer(false) }, t("cancel")))));
    dialog.addEventListener("cancel", () => resolve(false), { once: true });
  });
}

function open(content) {
  dialog.setAttribute("aria-labelledby", "dialog-title");
  fill(dialog, content);
  if (!dialog.open) dialog.showModal();
}
