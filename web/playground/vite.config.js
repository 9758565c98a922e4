import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const ABSENT =
  /^.*\/(diffEditorWidget|multiDiffEditorWidget|colorHoverParticipant|inlayHintsHover|copyPasteController)\.js$/;

export default defineConfig({
  base: "/playground/",
  plugins: [react()],
  resolve: {
    alias: [
      { find: "monaco-editor/esm/vs/editor/edcore.main.js", replacement: here("./src/slim/editor.js") },
      { find: ABSENT, replacement: here("./src/slim/absent.js") },
      { find: "prettier/parser-babel", replacement: here("./src/slim/jsonc.js") },
      { find: "prettier/plugins/estree", replacement: here("./src/slim/jsonc.js") },
      { find: "prettier/parser-graphql", replacement: "prettier/plugins/graphql" },
    ],
  },
  worker: { format: "es" },
  build: {
    outDir: "../../api/assets/playground",
    emptyOutDir: true,
    target: ["chrome120", "firefox121", "safari17.2"],
    sourcemap: false,
    license: { fileName: "LICENSES.md" },
    // Monaco's core is one piece of this size.
    chunkSizeWarningLimit: 2500,
    rolldownOptions: {
      onLog(level, log, handler) {
        // "use no memo" speaks to the React compiler, which has already run over these packages.
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") handler(level, log);
      },
    },
  },
  server: {
    proxy: { "/graphql": { target: "http://localhost:8000", ws: true } },
  },
});
