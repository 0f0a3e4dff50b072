// The page's own words, in the person's language. A further language is one more file in messages/ and one line here.

import en from "./messages/en.js";
import de from "./messages/de.js";

export const LANGUAGES = { en, de };
const CHOSEN = "excerpt-language";

function choose() {
  const wanted = [localStorage.getItem(CHOSEN), ...(navigator.languages ?? [])].filter(Boolean);
  return wanted.map((code) => code.slice(0, 2)).find((code) => code in LANGUAGES) ?? "en";
}

export let language = choose();

export function setLanguage(code) {
  localStorage.setItem(CHOSEN, code);
  language = code;
}

/** A message with its values filled in; `{n|one|many}` chooses by number. */
export function t(name, values = {}) {
  const message = LANGUAGES[language][name] ?? en[name] ?? name;
  if (typeof message !== "string") return message;
  return message
    .replace(/\{(\w+)\|([^|}]*)\|([^|}]*)\}/g, (_, key, one, many) => (Number(values[key]) === 1 ? one : many))
    .replace(/\{(\w+)\}/g, (whole, key) => (key in values ? number(values[key]) : whole));
}

function number(value) {
  return typeof value === "number" ? value.toLocaleString(language) : value;
}

export function percent(share) {
  if (share === null || share === undefined) return "";
  const shown = share > 0 && share < 0.01 ? "< 1" : share < 1 && share > 0.99 ? "> 99" : String(Math.round(share * 100));
  return `${shown} %`;
}

/** The words of a calibrated probability; what is given as the answer is never called unsure. */
export function inWords(probability, given = false) {
  if (probability >= 0.9) return t("certain");
  if (probability >= 0.65) return t("likely");
  return given || probability >= 0.4 ? t("possible") : t("doubtful");
}

export function bytes(size) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = size, unit = 0;
  while (value >= 1000 && unit < units.length - 1) { value /= 1000; unit += 1; }
  return `${value.toLocaleString(language, { maximumFractionDigits: value < 10 && unit ? 1 : 0 })} ${units[unit]}`;
}

export function when(iso) {
  if (!iso) return "";
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? "" : date.toLocaleDateString(language, { year: "numeric", month: "short", day: "numeric" });
}

const TYPES = {
  "application/pdf": "PDF", "text/html": "HTML", "text/plain": "Text", "text/markdown": "Markdown", "text/csv": "CSV",
  "application/json": "JSON", "message/rfc822": "E-mail", "application/vnd.ms-outlook": "E-mail",
};

/** A short name of a file's type. */
export function typeName(mime) {
  if (mime in TYPES) return TYPES[mime];
  if (/wordprocessing|msword|opendocument\.text/.test(mime)) return "Word";
  if (/presentation|powerpoint/.test(mime)) return "Slides";
  if (/spreadsheet|excel/.test(mime)) return "Sheet";
  return String(mime).split("/").pop();
}
