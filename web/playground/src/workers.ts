import LanguageWorker from "./worker?worker";

/** Tells the editor where its workers come from: this bundle, nothing else. */
globalThis.MonacoEnvironment = {
  getWorker: (_id, label) => new LanguageWorker({ name: label }),
};
