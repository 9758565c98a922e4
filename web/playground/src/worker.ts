/**
 * The one worker script: it becomes the language service its name asks for. graphiql's own set-up
 * has three scripts instead, each with the editor's worker core in it again (200 kB apiece).
 */
const services: Record<string, () => Promise<unknown>> = {
  graphql: () => import("monaco-graphql/esm/graphql.worker.js"),
  json: () => import("monaco-editor/esm/vs/language/json/json.worker.js"),
};
const start = services[self.name] ?? (() => import("monaco-editor/esm/vs/editor/editor.worker.js"));

// The editor speaks at once, the service listens once it is loaded: hand over in order.
const early: MessageEvent[] = [];
self.onmessage = (message) => early.push(message);
await start();
for (const message of early) self.onmessage?.(message);

export {};
