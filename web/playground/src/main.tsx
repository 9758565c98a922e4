import "./workers";
import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "@graphiql/plugin-history/style.css";
import "graphiql/graphiql.css";
import "./playground.css";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { GraphiQL } from "graphiql";
import { createRoot } from "react-dom/client";
import { createFetcher } from "./fetcher";
import { createLivePanel } from "./live-panel";
import { SignIn } from "./sign-in";
import { createSocket } from "./socket";
import { createWatch } from "./watch";
import welcome from "./welcome.graphql?raw";

const socket = createSocket();
const fetcher = createFetcher(socket);

// One array for the life of the page: a new one would close the open panel.
const PLUGINS = [HISTORY_PLUGIN, createLivePanel(createWatch(socket))];

const root = document.getElementById("root");
if (!root) throw new Error("index.html has lost its #root element");

// sessionStorage for everything: documents hold passwords, and two tabs are two people.
createRoot(root).render(
  <GraphiQL
    fetcher={fetcher}
    defaultQuery={welcome}
    plugins={PLUGINS}
    storage={window.sessionStorage}
    shouldPersistHeaders={false}
    showPersistHeadersSettings={false}
    inputValueDeprecation
    schemaDescription
  >
    <GraphiQL.Logo>
      <SignIn socket={socket} />
    </GraphiQL.Logo>
  </GraphiQL>,
);
