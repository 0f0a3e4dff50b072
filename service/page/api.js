// Talks to the server that this page came from: JSON in and out, one form of errors, a key where one is needed.

const KEY = "excerpt-key";

export class ServerError extends Error {
  constructor(status, code, message, retryAfter) {
    super(message);
    Object.assign(this, { status, code, retryAfter });
  }
}

/** The key is kept for this tab only, unless the person asks for more. */
export function setKey(key, keep) {
  sessionStorage.removeItem(KEY);
  localStorage.removeItem(KEY);
  if (key) (keep ? localStorage : sessionStorage).setItem(KEY, key);
}

export function getKey() {
  return sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY);
}

function headers(extra = {}) {
  const key = getKey();
  return key ? { ...extra, "X-API-Key": key } : extra;
}

async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: headers(options.headers), credentials: "omit", cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerError(0, "offline", "offline");
  }
  if (response.ok) return response;
  let told = {};
  try {
    told = (await response.json()).error ?? {};
  } catch {
    // Something between us and the server answered in its own words.
  }
  const retry = Number(response.headers.get("Retry-After")) || null;
  throw new ServerError(response.status, told.code ?? "", told.message ?? response.statusText, retry);
}

export async function get(path, parameters = {}, signal) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== ""));
  const text = query.toString();
  return (await request(text ? `${path}?${text}` : path, { signal })).json();
}

export async function send(path, body, signal, method = "POST") {
  const options = { method, signal, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await request(path, options);
  return response.status === 204 ? null : response.json();
}

export async function remove(path) {
  const response = await request(path, { method: "DELETE" });
  return response.status === 204 ? null : response.json().catch(() => null);
}

/** A picture or a file, which need the key's header and so cannot be named in an attribute. */
export async function blob(path, signal) {
  return (await request(path, { signal })).blob();
}

/** Uploads with true progress of what has left this machine: `progress(share)`. */
export function upload(files, fields, progress) {
  const form = new FormData();
  for (const file of files) form.append("files", file, file.name);
  for (const [name, value] of Object.entries(fields)) if (value) form.append(name, value);
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    call.open("POST", "/documents");
    for (const [name, value] of Object.entries(headers())) call.setRequestHeader(name, value);
    call.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    call.onerror = () => reject(new ServerError(0, "offline", "offline"));
    call.onload = () => {
      let told = {};
      try {
        told = JSON.parse(call.responseText);
      } catch {
        // told below by the status
      }
      if (call.status < 300) resolve(told);
      else reject(new ServerError(call.status, told.error?.code ?? "", told.error?.message ?? call.statusText, null));
    };
    call.send(form);
  });
}
