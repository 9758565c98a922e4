import type { GraphiQLPlugin } from "@graphiql/react";
import { useSyncExternalStore } from "react";
import { clearLive, HISTORY_LENGTH, liveResults, onLiveResult, type LiveResult } from "./live";

/** The sidebar panel with the latest results of subscriptions, newest first. */
export const LIVE_PANEL: GraphiQLPlugin = { title: "Live results", icon: LiveIcon, content: LivePanel };

function LivePanel() {
  const results = useSyncExternalStore(onLiveResult, liveResults);
  return (
    <section className="annal-live" aria-label="Live results">
      <header>
        <h2>Live results</h2>
        {results.length > 0 && (
          <button type="button" className="graphiql-button" onClick={clearLive}>
            Clear
          </button>
        )}
      </header>
      {results.length === 0 && <p>What subscriptions bring appears here, newest first ({HISTORY_LENGTH} at most).</p>}
      {results.map((result) => (
        <Result key={result.number} {...result} />
      ))}
    </section>
  );
}

function Result({ number, at, body }: LiveResult) {
  return (
    <article>
      <h3>
        {number} · {at.toLocaleTimeString()}
      </h3>
      <pre>{JSON.stringify(body, null, 2)}</pre>
    </article>
  );
}

function LiveIcon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" aria-hidden="true">
      <circle cx="12" cy="12" r="2" />
      <path d="M8 16a5.7 5.7 0 0 1 0-8M16 8a5.7 5.7 0 0 1 0 8M5 19a9.9 9.9 0 0 1 0-14M19 5a9.9 9.9 0 0 1 0 14" />
    </svg>
  );
}
