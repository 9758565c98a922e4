// Third-party clients: each runs a query, sees an error with its code, and receives a subscription.
import assert from 'node:assert/strict';
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const url = process.argv[2];
if (!url) {
  console.error('usage: node clients.mjs http://localhost:8000/graphql');
  process.exit(2);
}
const socketUrl = `${url.replace(/^http/, 'ws')}/ws`;
const subscription = process.env.SUBSCRIPTION ?? 'subscription { count(to: 3) }';
const deadline = setTimeout(() => {
  console.error('not done after 20 seconds');
  process.exit(1);
}, 20_000);

const VALIDATION = 'GRAPHQL_VALIDATION_FAILED';
const socketClient = () => createClient({ url: socketUrl, webSocketImpl: WebSocket, retryAttempts: 0 });

async function graphqlWs() {
  const client = socketClient();
  const first = (query) =>
    new Promise((resolve, reject) => {
      client.subscribe({ query }, { next: resolve, error: reject, complete: () => reject(new Error('no result')) });
    });
  assert.ok((await first('{ __typename }')).data.__typename);
  await assert.rejects(first('{ noSuchField }'), (errors) => errors[0].extensions.code === VALIDATION);
  assert.ok((await first(subscription)).data);
  await client.dispose();
}

async function urql() {
  const sockets = socketClient();
  const client = new Client({
    url,
    preferGetMethod: false,
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (request) => ({
          subscribe: (sink) => ({ unsubscribe: sockets.subscribe({ ...request, query: request.query ?? '' }, sink) }),
        }),
      }),
    ],
  });
  const asked = await client.query('{ __typename }', {}).toPromise();
  assert.equal(asked.error, undefined);
  assert.ok(asked.data.__typename);
  const refused = await client.query('{ noSuchField }', {}).toPromise();
  assert.equal(refused.error.graphQLErrors[0].extensions.code, VALIDATION);
  const pushed = await new Promise((resolve) => {
    const { unsubscribe } = client.subscription(subscription, {}).subscribe((result) => {
      resolve(result);
      setTimeout(() => unsubscribe(), 0);
    });
  });
  assert.ok(pushed.data, String(pushed.error));
  await sockets.dispose();
}

for (const [name, run] of Object.entries({ 'graphql-ws': graphqlWs, urql })) {
  await run();
  console.log(`${name}: query, error and subscription ok`);
}
clearTimeout(deadline);
