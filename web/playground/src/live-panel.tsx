import type { GraphiQLPlugin } from "@graphiql/react";
import { memo, useRef, useState, useSyncExternalStore } from "react";
import { clearLive, HISTORY_LENGTH, liveResults, onLiveResult, type LiveResult } from "./live";
import { namedIds, summary, type NamedId } from "./summary";
import type { Watch } from "./watch";

/** The sidebar panel with the watch and the latest results of all subscriptions, newest first. */
export function createLivePanel(watch: Watch): GraphiQLPlugin {
  // One component for the life of the page: a new one would be another panel.
  return { title: "Live results", icon: LiveIcon, content: () => <LivePanel watch={watch} /> };
}

function LivePanel({ watch }: { watch: Watch }) {
  const results = useSyncExternalStore(onLiveResult, liveResults);
  const { on } = useSyncExternalStore(watch.onStateChange, watch.state);
  return (
    <section className="annal-live" aria-label="Live results">
      <header>
        <h2>Live results</h2>
        <button type="button" className="graphiql-button" aria-pressed={on} onClick={watch.toggle}>
          {on ? "Stop · 停止" : "Watch · 关注"}
        </button>
        {results.length > 0 && (
          <button type="button" className="graphiql-button" onClick={clearLive}>
            Clear · 清空
          </button>
        )}
      </header>
      <WatchLine watch={watch} />
      {results.map((result) => (
        <Result key={result.number} {...result} />
      ))}
    </section>
  );
}

function WatchLine({ watch }: { watch: Watch }) {
  const { on, position } = useSyncExternalStore(watch.onStateChange, watch.state);
  const socket = useSyncExternalStore(watch.socket.onStateChange, watch.socket.state);
  const place = position === undefined ? "" : ` after position ${position}`;
  const words = on
    ? socket === "live"
      ? `Watching${place}. · 正在关注。`
      : `Connecting; then going on${place}. · 正在连接。`
    : "Watch keeps running while you do other things. · 关注期间可以照常执行其他操作。";
  return (
    <p role="status">
      {words} Newest first, {HISTORY_LENGTH} at most. · 最新在前。
    </p>
  );
}

/** Kept as it is while others come: a result never changes. */
const Result = memo(function Result({ number, at, source, body, warning }: LiveResult) {
  const line = summary(body);
  return (
    <article>
      <h3>
        {number} · {at.toLocaleTimeString()} · {source}
      </h3>
      {warning && <p className="annal-warning" role="alert">{warning}</p>}
      {line && <p className="annal-summary">{line}</p>}
      <ul>
        {namedIds(body).map((named) => (
          <CopyableId key={named.id} {...named} />
        ))}
      </ul>
      {body !== undefined && <pre>{JSON.stringify(body, null, 2)}</pre>}
    </article>
  );
});

function CopyableId({ label, id }: NamedId) {
  const text = useRef<HTMLElement>(null);
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    if (text.current) window.getSelection()?.selectAllChildren(text.current);
    try {
      await navigator.clipboard.writeText(id);
      setCopied(true);
    } catch {
      // Browsers keep the clipboard from pages on plain HTTP; the id is selected, Ctrl-C takes it.
      setCopied(false);
    }
  };
  return (
    <li>
      {label} <code ref={text}>{id}</code>{" "}
      <button type="button" onClick={copy} aria-label={`Copy ${label} ${id}`}>
        {copied ? "Copied · 已复制" : "Copy · 复制"}
      </button>
    </li>
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
