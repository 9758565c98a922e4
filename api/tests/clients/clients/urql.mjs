// npm @urql/core: queries by fetch, subscriptions through graphql-ws.
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { socketOf } from './graphql_ws.mjs';

export function urql(url, token) {
  const sockets = socketOf(url, token);
  const forwardSubscription = (request) => ({
    subscribe: (sink) => ({ unsubscribe: sockets.subscribe({ ...request, query: request.query ?? '' }, sink) }),
  });
  const client = new Client({
    url,
    preferGetMethod: false,
    fetchOptions: { headers: token ? { authorization: `Bearer ${token}` } : {} },
    exchanges: [fetchExchange, subscriptionExchange({ forwardSubscription })],
  });
  const of = ({ data, error }) => ({ data, errors: error?.graphQLErrors });
  return {
    ask: async (document, variables = {}) => {
      const change = document.trimStart().startsWith('mutation');
      return of(await client[change ? 'mutation' : 'query'](document, variables).toPromise());
    },
    follow: (document, variables, { next, error }) => {
      const { unsubscribe } = client.subscription(document, variables).subscribe((result) => {
        const { data, errors } = of(result);
        if (errors) error(errors);
        else next(data);
      });
      return unsubscribe;
    },
    close: () => sockets.dispose(),
  };
}
