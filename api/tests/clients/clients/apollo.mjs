// npm @apollo/client with its cache: queries by fetch, subscriptions through graphql-ws.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client/core';
import { CombinedGraphQLErrors } from '@apollo/client/errors';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode } from 'graphql';
import { socketOf } from './graphql_ws.mjs';

export function apollo(url, token) {
  const sockets = socketOf(url, token);
  const http = new HttpLink({ uri: url, headers: token ? { authorization: `Bearer ${token}` } : {} });
  const live = ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION;
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.split(live, new GraphQLWsLink(sockets), http),
  });
  const errorsOf = (error) => (CombinedGraphQLErrors.is(error) ? error.errors : [error]);
  return {
    ask: async (text, variables) => {
      const [document, fetchPolicy] = [gql(text), 'network-only'];
      const change = text.trimStart().startsWith('mutation');
      const asked = change
        ? client.mutate({ mutation: document, variables })
        : client.query({ query: document, variables, fetchPolicy });
      return asked.then(({ data }) => ({ data }), (error) => ({ errors: errorsOf(error) }));
    },
    follow: (text, variables, { next, error }) => {
      const heard = client.subscribe({ query: gql(text), variables }).subscribe({
        next: (result) => (result.error ? error(errorsOf(result.error)) : next(result.data)),
        error: (fault) => error(errorsOf(fault)),
      });
      return () => heard.unsubscribe();
    },
    close: async () => {
      client.stop();
      await sockets.dispose();
    },
  };
}
