// What is shown stands in the address: it can be shared, and "back" goes where one was.

const NAMES = ["q", "view", "filter", "sort", "doc", "page", "at", "offset"];

/** The address as values; `filter` is a list of [field, value], `at` the marked characters [start, end]. */
export function readState(search = location.search) {
  const query = new URLSearchParams(search);
  const at = (query.get("at") ?? "").match(/^(\d+)-(\d+)$/);
  return {
    q: query.get("q") ?? "",
    view: query.get("view") ?? "",
    filter: query.getAll("filter").map((text) => split(text)).filter(Boolean),
    sort: query.get("sort") ?? "",
    doc: /^[0-9a-f]{32}$/.test(query.get("doc") ?? "") ? query.get("doc") : "",
    page: Number(query.get("page")) || 0,
    at: at ? [Number(at[1]), Number(at[2])] : null,
    offset: Math.max(0, Number(query.get("offset")) || 0),
  };
}

function split(text) {
  const place = text.indexOf(":");
  return place > 0 ? [text.slice(0, place), text.slice(place + 1)] : null;
}

export function writeState(state) {
  const query = new URLSearchParams();
  for (const name of NAMES) {
    const value = state[name];
    if (name === "filter") for (const [field, wanted] of value ?? []) query.append("filter", `${field}:${wanted}`);
    else if (name === "at") { if (value) query.set("at", value.join("-")); }
    else if (value) query.set(name, value);
  }
  const text = query.toString();
  return text ? `/?${text}` : "/";
}

/** Goes to a state; `replace` where it is the same view seen a little differently. */
export function go(changes, replace = false) {
  const next = { ...readState(), ...changes };
  const address = writeState(next);
  if (address === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  dispatchEvent(new Event("statechange"));
}

/** The chosen values as Haystack's filter: values of one field are alternatives, fields must all hold. */
export function toFilters(chosen) {
  const byField = new Map();
  for (const [field, value] of chosen) byField.set(field, [...(byField.get(field) ?? []), value]);
  const conditions = [...byField].map(([field, values]) => ({ field: `meta.${field}`, operator: "in", value: values.map(typed) }));
  if (!conditions.length) return null;
  return conditions.length === 1 ? conditions[0] : { operator: "AND", conditions };
}

// Facets carry JSON values, addresses only texts: a number is written as `#12`.
function typed(text) {
  return /^#-?\d+(\.\d+)?$/.test(text) ? Number(text.slice(1)) : text;
}

export function untyped(value) {
  return typeof value === "number" ? `#${value}` : String(value);
}
