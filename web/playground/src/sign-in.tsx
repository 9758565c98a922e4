import { useEffect, useState, useSyncExternalStore } from "react";
import { offer, onOfferChange, takeOffer } from "./offer";
import { onTokenChange, setToken, token } from "./session";
import type { Socket } from "./socket";

const SOCKET_TITLE = {
  idle: "No subscription is open",
  connecting: "The socket is connecting",
  live: "The socket is open",
};

/** The corner with the token of this tab and a light for the socket. */
export function SignIn({ socket }: { socket: Socket }) {
  const current = useSyncExternalStore(onTokenChange, token);
  const offered = useSyncExternalStore(onOfferChange, offer);
  return (
    <div className="annal-sign-in">
      <SocketLight socket={socket} />
      <strong>Annal playground</strong>
      <TokenField current={current} />
      {offered && offered !== current && (
        <button type="button" className="graphiql-button" onClick={takeOffer}>
          Use new token
        </button>
      )}
      {current && (
        <button type="button" className="graphiql-button" onClick={() => setToken("")}>
          Clear
        </button>
      )}
    </div>
  );
}

function SocketLight({ socket }: { socket: Socket }) {
  const state = useSyncExternalStore(socket.onStateChange, socket.state);
  const title = SOCKET_TITLE[state];
  return <span className={`annal-socket annal-socket-${state}`} role="status" title={title} aria-label={title} />;
}

/** Takes effect on Enter or when it loses the focus: half a token would sign the socket out. */
function TokenField({ current }: { current: string }) {
  const [draft, setDraft] = useState(current);
  useEffect(() => setDraft(current), [current]);
  return (
    <input
      type="password"
      autoComplete="off"
      spellCheck={false}
      aria-label="Token of this browser tab"
      placeholder="Token of this tab"
      value={draft}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={() => setToken(draft)}
      onKeyDown={(event) => {
        if (event.key === "Enter") setToken(draft);
      }}
    />
  );
}
