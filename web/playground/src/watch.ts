import type { FormattedExecutionResult } from "graphql";
import { fieldsOf } from "./json";
import { recordLive } from "./live";
import type { Socket } from "./socket";
import { errorCode, inWords } from "./trouble";
import WATCH from "./watch.graphql?raw";

/** Where the log stands: asked first, so that nothing is missed when the socket breaks before any update. */
const LOG_POSITION = "query LogPosition { log { position } }";

/** The pause before a subscription that the server ended is made again, in milliseconds. */
const PAUSE_MS = 1_000;

/** Errors after which the same subscription may work again. */
const PASSING = new Set(["SERVICE_UNAVAILABLE", "SLOW_CONSUMER"]);

type Result = FormattedExecutionResult<Record<string, unknown>, unknown>;

/** What the panel shows about the watch. */
export interface WatchState {
  on: boolean;
  /** The last position seen; a new connection goes on behind it. */
  position?: string;
}

/** The panel's own subscription to `updates`, apart from what runs in the editor. */
export interface Watch {
  /** Ends the watch, or begins one from now on, as whoever the token of this tab says. */
  toggle(): void;
  state(): WatchState;
  onStateChange(listener: () => void): () => void;
  socket: Socket;
}

/** Creates the watch, switched off. */
export function createWatch(socket: Socket): Watch {
  let state: WatchState = { on: false };
  let end = () => {};
  const listeners = new Set<() => void>();
  const moveTo = (next: WatchState) => {
    state = next;
    for (const listener of listeners) listener();
  };
  /** Subscribes; returns the function that ends it, after which nothing of it is heard. */
  const open = (query: string, variables: Record<string, unknown>, hear: (result: Result) => void) => {
    let ended = false;
    const conclude = (then: () => void) => {
      if (ended) return;
      ended = true;
      then();
    };
    const close = socket.client.subscribe(
      { query, variables },
      {
        next(result) {
          if (ended) return;
          if (result.data) return hear(result);
          conclude(close);
          fail(result.errors);
        },
        error: (reason) => conclude(() => fail(reason)),
        complete: () => conclude(() => again(PAUSE_MS)),
      },
    );
    return () => conclude(close);
  };
  const stop = () => {
    end();
    end = () => {};
    moveTo({ ...state, on: false });
  };
  const start = () => {
    socket.signInAs();
    moveTo({ on: true });
    const endQuestion = open(LOG_POSITION, {}, ({ data }) => {
      moveTo({ on: true, position: String(fieldsOf(fieldsOf(data).log).position) });
      // Followed before the question ends, so that the socket is not closed in between.
      follow();
      endQuestion();
    });
    end = endQuestion;
  };
  const follow = () => {
    // The client sends the same variables again after each reconnect, and reads them anew for it:
    // a getter is what makes it go on behind the last position instead of the first.
    const variables = {
      get after() {
        return state.position;
      },
    };
    end = open(WATCH, variables, take);
  };
  const again = (milliseconds: number) => {
    end();
    const timer = setTimeout(follow, milliseconds);
    end = () => clearTimeout(timer);
  };
  const take = (result: Result) => {
    const position = String(fieldsOf(fieldsOf(result.data).updates).position);
    const last = state.position;
    const rises = last === undefined || BigInt(position) > BigInt(last);
    const fall = `Position ${position} is not above the last one, ${last}. · 位置没有递增。`;
    const warning = rises ? result.errors && inWords(result.errors) : fall;
    recordLive({ source: "watch", body: result, warning });
    if (rises) moveTo({ on: true, position });
  };
  const fail = (reason: unknown) => {
    const code = errorCode(reason);
    const body = Array.isArray(reason) ? { errors: reason } : undefined;
    recordLive({ source: "watch", body, warning: inWords(reason) });
    if (code === "POSITION_AHEAD" && state.position !== undefined) {
      moveTo({ on: true });
      again(0);
    } else if (PASSING.has(code)) {
      again(PAUSE_MS);
    } else {
      stop();
    }
  };
  return {
    toggle: () => (state.on ? stop() : start()),
    state: () => state,
    onStateChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    socket,
  };
}
