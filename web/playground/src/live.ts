/** How many results the panel keeps; older ones make room. */
export const HISTORY_LENGTH = 200;

/** What is told about one result, or about the watch itself. */
export interface LiveNews {
  /** Whose subscription brought it. */
  source: "watch" | "editor";
  /** The result as it came; absent when there is only a warning. */
  body?: unknown;
  /** What is wrong, in words. */
  warning?: string;
}

/** News with its place in the panel. */
export interface LiveResult extends LiveNews {
  /** Counts from 1 within this page. */
  number: number;
  at: Date;
}

let results: readonly LiveResult[] = [];
let count = 0;
const listeners = new Set<() => void>();

/** The results so far, newest first. */
export function liveResults(): readonly LiveResult[] {
  return results;
}

/** Adds a result; the response pane shows only the latest, and two may come at once. */
export function recordLive(news: LiveNews): void {
  count += 1;
  publish([{ ...news, number: count, at: new Date() }, ...results].slice(0, HISTORY_LENGTH));
}

/** Empties the panel. */
export function clearLive(): void {
  publish([]);
}

/** Calls `listener` after every change; returns the function that ends that. */
export function onLiveResult(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function publish(next: readonly LiveResult[]): void {
  results = next;
  for (const listener of listeners) listener();
}
