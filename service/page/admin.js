// For who may: keys, sources and their state, questions without an answer, figures of the day, the pipelines' settings.

import { get } from "./api.js";
import { fill, foreign, h } from "./dom.js";
import { t, when } from "./words.js";

export async function showAdmin(root, failed) {
  fill(root, h("h1", {}, t("admin")), h("p", { class: "loading" }, t("loading")));
  let told;
  try {
    told = await get("/admin/overview");
  } catch (error) {
    fill(root, h("h1", {}, t("admin")));
    return failed(error, () => showAdmin(root, failed));
  }
  return fill(root, h("h1", {}, t("admin")), today(told.today ?? {}), keys(told.keys ?? []), sources(told.sources ?? {}), unanswered(told), settings(told.pipelines ?? {}));
}

function section(title, ...content) {
  return h("section", { class: "admin" }, h("h2", {}, title), content);
}

function today(figures) {
  const names = ["asked", "answered", "abstained", "thumbs_right", "thumbs_wrong"];
  return section(t("admin_today"), h("dl", { class: "figures" }, names.map((name) => h("div", {}, h("dt", {}, t(name)), h("dd", {}, String(figures[name] ?? 0))))));
}

function table(columns, rows) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": columns[0] }, h("table", {},
    h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell) => h("td", {}, cell)))))));
}

function keys(list) {
  return section(t("admin_keys"), h("p", {}, t("admin_key_hint")),
    list.length ? table([t("name_column"), t("scopes_column"), t("expires_column")], list.map((key) => [foreign(key.name), (key.scopes ?? []).join(", "), when(key.expires)])) : null);
}

function sources(counts) {
  return section(t("admin_sources"), h("dl", { class: "figures" }, Object.entries(counts).map(([name, n]) => h("div", {}, h("dt", {}, state(name)), h("dd", {}, String(n))))));
}

function state(name) {
  const told = t(`state_${name}`);
  return told.startsWith("state_") ? name : told;
}

function unanswered(told) {
  return section(t("admin_unanswered"), told.unanswered
    ? table([t("question"), t("count_column")], told.unanswered.map((row) => [foreign(row.question), String(row.count ?? 1)]))
    : h("p", {}, t("admin_unanswered_off")));
}

function settings(pipelines) {
  return section(t("admin_settings"), h("p", {}, t("admin_pipelines_hint")),
    Object.entries(pipelines).map(([name, text]) => h("details", {}, h("summary", {}, foreign(name)), h("pre", { tabindex: "0" }, String(text)))));
}
