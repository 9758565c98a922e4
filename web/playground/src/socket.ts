import { createClient, type Client } from "graphql-ws";
import { socketEndpoint } from "./endpoints";
import { fieldsOf } from "./json";
import { onTokenChange, token } from "./session";

/** How often the client asks whether the socket is still there, in milliseconds. */
const KEEP_ALIVE_MS = 10_000;

/** The longest pause between two attempts to come back, in milliseconds. */
const LONGEST_RETRY_MS = 15_000;

/** The server closes with this when the token is unknown, expired or revoked. */
export const SIGNED_OUT = 4403;

/** What the light in the corner shows about the socket. */
export type SocketState = "idle" | "connecting" | "live";

/** The one socket of this page; its subscriptions survive a loss of the connection. */
export interface Socket {
  client: Client;
  /**
   * Signs in with `override` from now on; without it, with the token of this tab, whichever that is.
   * An open socket of somebody else is replaced, and its subscriptions start again.
   */
  signInAs(override?: string): void;
  state(): SocketState;
  onStateChange(listener: () => void): () => void;
}

/** Creates the socket; nothing is connected before the first subscription. */
export function createSocket(): Socket {
  let override: string | undefined;
  let current = token();
  let replacing = false;
  let state: SocketState = "idle";
  const listeners = new Set<() => void>();
  const moveTo = (next: SocketState) => {
    state = next;
    for (const listener of listeners) listener();
  };
  const client = createClient({
    url: socketEndpoint(window.location),
    connectionParams: () => (current ? { token: current } : {}),
    lazy: true,
    keepAlive: KEEP_ALIVE_MS,
    retryAttempts: Infinity,
    // The same token would be refused for ever.
    shouldRetry: (reason) => fieldsOf(reason).code !== SIGNED_OUT,
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
  const signIn = () => {
    const next = override ?? token();
    if (next === current) return;
    current = next;
    if (state === "idle") return;
    // The sign-in is part of connection_init, so only a new connection can carry a new one.
    replacing = true;
    client.terminate();
  };
  onTokenChange(signIn);
  return {
    client,
    signInAs(next) {
      override = next;
      signIn();
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
