// Questions asked on this device, kept here alone, and only if the person wants it.

const KEEP = "excerpt-keep-recent";
const LIST = "excerpt-recent";
const MOST = 30;

export function keepsRecent() {
  return localStorage.getItem(KEEP) === "yes";
}

export function setKeepsRecent(keep) {
  if (keep) localStorage.setItem(KEEP, "yes");
  else [KEEP, LIST].forEach((name) => localStorage.removeItem(name));
}

export function recent() {
  if (!keepsRecent()) return [];
  try {
    const list = JSON.parse(localStorage.getItem(LIST) ?? "[]");
    return Array.isArray(list) ? list.filter((asked) => typeof asked === "string") : [];
  } catch {
    return [];
  }
}

export function remember(question) {
  if (keepsRecent()) localStorage.setItem(LIST, JSON.stringify([question, ...recent().filter((asked) => asked !== question)].slice(0, MOST)));
}
