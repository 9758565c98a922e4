// Third-party clients: each asks, is told of errors with their codes, changes something, follows the updates, and
// resumes behind the last position.
import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import { Person, fail, within } from '../person.mjs';
import { apollo } from './apollo.mjs';
import { graphqlWs } from './graphql_ws.mjs';
import { urql } from './urql.mjs';

const url = process.argv[2];
if (!url) {
  console.error('usage: node clients/main.mjs http://localhost:8000/graphql');
  process.exit(2);
}

const WHO = 'query Who { viewer { person { id userName } } }';
const NOBODY = 'query Nobody($id: ID!) { node(id: $id) { id } }';
const SEND = `mutation Send($input: SendMessageInput!) {
  sendMessage(input: $input) { position message { id number } userErrors { code path } } }`;
const UPDATES = `subscription Updates($after: Position) { updates(after: $after) { position event {
  __typename ... on MessageSentUpdate { message { id number content { ... on TextContent { text } } } } } } }`;
const BEYOND_THE_END = '999999999999';

async function friends() {
  const tag = randomInt(2 ** 40).toString(36).padStart(8, '0');
  const [ann, bob] = [new Person(url, `ann${tag}x`), new Person(url, `bob${tag}x`)];
  await Promise.all([ann.register(), bob.register()]);
  await ann.act('requestFriend', { personId: bob.id });
  const { position, conversation } = await bob.act('confirmFriend', { personId: ann.id }, 'conversation { id }');
  return { ann, bob, position, conversation: conversation.id };
}

const code = ({ errors }) => errors?.[0]?.extensions?.code;

async function asks(client, stranger, ann) {
  const { data, errors } = await client.ask(WHO);
  assert.equal(errors, undefined);
  assert.equal(data.viewer.person.userName, ann.userName);
  assert.equal(code(await client.ask('query Wrong { noSuchField }')), 'GRAPHQL_VALIDATION_FAILED');
  assert.equal(code(await stranger.ask(NOBODY, { id: ann.id })), 'UNAUTHENTICATED');
}

// Says the texts through the client; a blank one is refused as data.
async function says(client, conversationId, texts) {
  for (const text of texts) {
    const input = { conversationId, content: { text }, idempotencyKey: randomUUID() };
    const { data, errors } = await client.ask(SEND, { input });
    assert.equal(errors, undefined);
    const refused = text === ' ' ? [{ code: 'BLANK', path: ['input', 'content', 'text'] }] : [];
    const found = data.sendMessage.userErrors.map(({ code, path }) => ({ code, path }));
    assert.deepEqual(found, refused);
  }
}

// The messages after a position up to the awaited text, and the position of the last one.
function hears(client, after, awaited) {
  let stop;
  const heard = new Promise((resolve, reject) => {
    const texts = [];
    const next = ({ updates }) => {
      texts.push(updates.event.message?.content.text ?? updates.event.__typename);
      if (texts.at(-1) === awaited) resolve({ texts, last: updates.position });
    };
    stop = client.follow(UPDATES, { after }, { next, error: (errors) => reject(new Error(JSON.stringify(errors))) });
  });
  return within(`"${awaited}" arrives`, heard).finally(() => stop());
}

async function follows(client, bob, conversation, position) {
  const live = hears(client, position, 'two');
  await says(client, conversation, ['one', ' ', 'two']);
  const { texts, last } = await live;
  assert.deepEqual(texts, ['one', 'two']);
  await bob.says(conversation, 'three');
  await bob.says(conversation, 'four');
  const resumed = hears(client, last, 'five');
  await says(client, conversation, ['five']);
  assert.deepEqual((await resumed).texts, ['three', 'four', 'five']);
  const ahead = new Promise((resolve, reject) => {
    const next = (data) => reject(new Error(`data beyond the end: ${JSON.stringify(data)}`));
    client.follow(UPDATES, { after: BEYOND_THE_END }, { next, error: (errors) => resolve(code({ errors })) });
  });
  assert.equal(await within('the error', ahead), 'POSITION_AHEAD');
}

async function run(name, connect) {
  const { ann, bob, position, conversation } = await friends();
  const [client, stranger] = [connect(url, ann.token), connect(url)];
  await within('the answers', asks(client, stranger, ann));
  await follows(client, bob, conversation, position);
  await Promise.all([client.close(), stranger.close()]);
  console.log(`${name}: query, errors, mutation, subscription and resume ok`);
}

for (const [name, connect] of Object.entries({ 'graphql-ws': graphqlWs, urql, 'Apollo Client': apollo })) {
  await run(name, connect).catch((error) => fail(`${name}: ${error.stack ?? error}`));
}
process.exit(0);
