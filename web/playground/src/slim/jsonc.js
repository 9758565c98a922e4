// Stands in for prettier's JavaScript parser and printer (half a megabyte), which GraphiQL loads
// only to pretty-print the variables and headers editors: JSON with comments.
import { applyEdits, format } from "jsonc-parser";

const AST_FORMAT = "annal-jsonc";
const STYLE = { insertSpaces: true, tabSize: 2, eol: "\n" };

export const parsers = {
  jsonc: {
    astFormat: AST_FORMAT,
    parse: (text) => ({ text: applyEdits(text, format(text, undefined, STYLE)) }),
    locStart: () => 0,
    locEnd: (node) => node.text.length,
  },
};

export const printers = {
  [AST_FORMAT]: { print: (path) => path.node.text },
};
