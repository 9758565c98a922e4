import { createClient, type Client } from "graphql-ws";
import { socketEndpoint } from "./endpoints";

/** How often the client asks whether the socket is still there, in milliseconds. */
const KEEP_ALIVE_MS = 10_000;

/** The longest pause between two attempts to come back, in milliseconds. */
const LONGEST_RETRY_MS = 15_000;

/** What the light in the corner shows about the socket. */
export type SocketState = "idle" | "connecting" | "live";

/** The one socket of this page and the token it signs in with. */
export interface Socket {
  client: Client;
  /** Signs in with `token` from now on; an open socket is replaced and its subscriptions start again. */
  signInAs(token: string): void;
  state(): SocketState;
  onStateChange(listener: () => void): () => void;
}

/** Creates the socket; nothing is connected before the first subscription. */
export function createSocket(initialToken: string): Socket {
  let token = initialToken;
  let replacing = false;
  let state: SocketState = "idle";
  const listeners = new Set<() => void>();
  const moveTo = (next: SocketState) => {
    state = next;
    for (const listener of listeners) listener();
  };
  const client = createClient({
    url: socketEndpoint(window.location),
    connectionParams: () => (token ? { token } : {}),
    lazy: true,
    keepAlive: KEEP_ALIVE_MS,
    retryAttempts: Infinity,
    shouldRetry: () => true,
    retryWait: async (retries) => {
      if (!replacing) await pause(retryDelay(retries));
      replacing = false;
    },
    on: {
      connecting: () => moveTo("connecting"),
      connected: () => moveTo("live"),
      closed: () => moveTo("idle"),
    },
  });
  return {
    client,
    signInAs(next) {
      if (next === token) return;
      token = next;
      if (state === "idle") return;
      // The sign-in is part of connection_init, so only a new connection can carry a new one.
      replacing = true;
      client.terminate();
    },
    state: () => state,
    onStateChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Doubles from one second up to the longest pause; the chance in it keeps tabs from returning in step. */
function retryDelay(retries: number): number {
  const full = Math.min(1_000 * 2 ** retries, LONGEST_RETRY_MS);
  return full * (0.5 + Math.random() / 2);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
