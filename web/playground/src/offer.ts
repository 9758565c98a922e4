import { fieldsOf } from "./json";
import { setToken } from "./session";

/**
 * A token that an answer has just brought (register and signIn return one), kept until the
 * person takes it or another one comes. It is offered, never taken unasked: whoever registers a
 * second account for a test should stay who they are.
 */
let offered = "";
const listeners = new Set<() => void>();

/** The token on offer, or an empty string. */
export function offer(): string {
  return offered;
}

/** Looks for a token in the first two levels of an answer's data and offers it. */
export function setOffer(answer: unknown): void {
  const found = findToken(answer);
  if (!found || found === offered) return;
  change(found);
}

/** Signs in with the token on offer. */
export function takeOffer(): void {
  setToken(offered);
  change("");
}

/** Calls `listener` after every change; returns the function that ends that. */
export function onOfferChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function change(next: string): void {
  offered = next;
  for (const listener of listeners) listener();
}

function findToken(answer: unknown): string | undefined {
  for (const payload of Object.values(fieldsOf(fieldsOf(answer).data))) {
    const candidate = fieldsOf(payload).token;
    if (typeof candidate === "string" && candidate) return candidate;
  }
  return undefined;
}
