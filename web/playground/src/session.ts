/**
 * Who this browser tab is signed in as.
 *
 * The token lives in sessionStorage, so it survives a reload, ends with the tab, and two tabs
 * can be two people. Both the HTTP requests and the socket read it from here.
 */
const STORAGE_KEY = "annal:token";

type Listener = () => void;

const listeners = new Set<Listener>();
let current = window.sessionStorage.getItem(STORAGE_KEY) ?? "";

/** The token of this tab, or an empty string when nobody is signed in. */
export function token(): string {
  return current;
}

/** Replaces the token; surrounding blanks and a pasted `Bearer ` prefix are dropped. */
export function setToken(value: string): void {
  const next = stripScheme(value);
  if (next === current) return;
  current = next;
  if (next) window.sessionStorage.setItem(STORAGE_KEY, next);
  else window.sessionStorage.removeItem(STORAGE_KEY);
  for (const listener of listeners) listener();
}

/** Calls `listener` after every change; returns the function that ends that. */
export function onTokenChange(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The token in an `Authorization` header's value, with or without the `Bearer` scheme. */
export function stripScheme(value: string): string {
  return value.trim().replace(/^Bearer(\s+|$)/i, "");
}
