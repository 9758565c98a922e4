// npm graphql-ws: everything over one socket.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

// A socket that shows the token when it opens and does not come back by itself.
export const socketOf = (url, token) =>
  createClient({
    url: `${url.replace(/^http/, 'ws')}/ws`,
    webSocketImpl: WebSocket,
    connectionParams: token ? { token } : undefined,
    retryAttempts: 0,
  });

export function graphqlWs(url, token) {
  const client = socketOf(url, token);
  return {
    ask: (query, variables) =>
      new Promise((resolve) => {
        const next = ({ data, errors }) => resolve({ data, errors });
        client.subscribe({ query, variables }, { next, error: (errors) => resolve({ errors }), complete: () => {} });
      }),
    follow: (query, variables, { next, error }) =>
      client.subscribe(
        { query, variables },
        { next: ({ data, errors }) => (errors ? error(errors) : next(data)), error, complete: () => {} },
      ),
    close: () => client.dispose(),
  };
}
