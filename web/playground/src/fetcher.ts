import { createGraphiQLFetcher, type Fetcher } from "@graphiql/toolkit";
import { getOperationAST } from "graphql";
import type { Client } from "graphql-ws";
import { HTTP_ENDPOINT } from "./endpoints";
import { recordLive } from "./live";
import { setOffer } from "./offer";
import { stripScheme, token } from "./session";
import type { Socket } from "./socket";

type Headers = Record<string, string>;

/** GraphiQL's transport: HTTP for queries and mutations, the socket for subscriptions. */
export function createFetcher(socket: Socket): Fetcher {
  const send = createGraphiQLFetcher({
    url: HTTP_ENDPOINT,
    headers: { accept: "application/graphql-response+json, application/json" },
    fetch: fetchGraphQL,
    wsClient: recorded(socket.client),
    // Annal has neither @defer nor @stream, and asking for them would change the Accept header.
    enableIncrementalDelivery: false,
  });
  return (params, options) => {
    const headers = lowerCased(options?.headers ?? {});
    // An Authorization line in the headers editor wins over the token field, on both ways; only a
    // subscription may change who the socket is, because the watch lives on it too.
    const document = options?.documentAST;
    if (document && getOperationAST(document, params.operationName)?.operation === "subscription") {
      socket.signInAs(headers.authorization && stripScheme(headers.authorization));
    }
    if (headers.authorization === undefined && token()) headers.authorization = `Bearer ${token()}`;
    return send(params, { ...options, headers });
  };
}

/** The same client, with every result shown in the panel as well. */
function recorded(client: Client): Client {
  return {
    ...client,
    subscribe: (payload, sink) =>
      client.subscribe(payload, {
        next(result) {
          recordLive({ source: "editor", body: result });
          sink.next(result as Parameters<typeof sink.next>[0]);
        },
        error: (reason) => sink.error(reason),
        complete: () => sink.complete(),
      }),
  };
}

/** One spelling per header name, so that nothing is sent twice. */
function lowerCased(edited: Record<string, unknown>): Headers {
  return Object.fromEntries(Object.entries(edited).map(([name, value]) => [name.toLowerCase(), String(value)]));
}

/** Like fetch, but an answer that is not JSON (a proxy's page, say) is named as such. */
async function fetchGraphQL(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, init);
  if (!/[/+]json\b/.test(response.headers.get("content-type") ?? "")) {
    const error = new Error(`HTTP ${response.status} ${response.statusText}: the answer is not JSON`);
    // GraphiQL prints the stack below the message; it says nothing about the server.
    delete error.stack;
    throw error;
  }
  setOffer(await response.clone().json());
  return response;
}
