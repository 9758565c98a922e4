// Two people meet and exchange 200 messages, through npm graphql-ws and Node's fetch. Exits 1 at the first difference.
import { randomInt, randomUUID } from 'node:crypto';
import { Person, expect, fail, within } from './person.mjs';

const url = process.argv[2];
if (!url) {
  console.error('usage: node story.mjs http://localhost:8000/graphql');
  process.exit(2);
}

const TOTAL = 200;
// Requests that each person has open at a time.
const LANES = 4;
// Bob's socket breaks after this message, and comes back after that one; the rest is said only then.
const BREAKS_AFTER = 60;
const RETURNS_AFTER = 120;
// Every so many messages the answer is taken for lost: the message is sent twice at the same time.
const TWICE_EVERY = 7;
const PAGE = 30;

// Nine, which shares no divisor with the eight lanes: everybody says each of them.
const PHRASES = [
  'See you at noon?',
  '中午见。带上雨伞，今天有雨',
  '😀 👩🏽‍🚀 👨‍👩‍👧‍👦 🏳️‍🌈 🇨🇳',
  'مرحبا، نلتقي ظهرًا',
  'שָׁלוֹם \u2067abc\u2069',
  'Cafe\u0301 \u1112\u1161\u11ab n\u0303 Z\u0351\u036b\u0343 한글',
  '\u{20BB7}野家 𝒜𝓃𝓃 \u{1F469}\u200D\u{1F4BB}',
  'नमस्ते। สวัสดีครับ',
  '  two lines \n\tand spaces  ',
];
const textOf = (from, index) => `${from.userName} ${index}: ${PHRASES[index % PHRASES.length]}`;

const same = (what, found, expected) => {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  expect(a === b, `${what}\n  found    ${a}\n  expected ${b}`);
};

// Compares lists of messages; shows the first that differs.
function sameMessages(what, found, expected) {
  for (let at = 0; at < Math.max(found.length, expected.length); at++) {
    same(`${what}: message ${at + 1} (${found.length} found, ${expected.length} expected)`, found[at], expected[at]);
  }
}

// What everybody has to see, by message number, gathered from the answers to those who said it.
const said = new Map();
// The idempotency key of each, by message number.
const keys = new Map();

async function say(from, conversation, index) {
  const [text, key] = [textOf(from, index), randomUUID()];
  const attempts = index % TWICE_EVERY === 0 ? 2 : 1;
  const answers = await Promise.all(Array.from({ length: attempts }, () => from.says(conversation, text, key)));
  const { message, position, userErrors } = answers[0];
  for (const answer of answers) same(`two sends of ${from.userName} with one key`, answer, answers[0]);
  expect(message?.position === position && userErrors.length === 0, `not sent: ${JSON.stringify(answers[0])}`);
  expect(!said.has(message.number), `number ${message.number} was given twice`);
  said.set(message.number, { ...message, conversationId: conversation, sender: { id: from.id }, content: { text } });
  keys.set(message.number, key);
  return message;
}

async function meet() {
  const tag = randomInt(2 ** 40).toString(36).padStart(8, '0');
  const [ann, bob] = [new Person(url, `ann${tag}x`), new Person(url, `bob${tag}x`)];
  await Promise.all([ann.register(), bob.register()]);
  for (const person of [ann, bob]) {
    const { log } = await person.ask('{ log { position } }');
    await person.follow(log.position);
  }
  const userName = bob.userName.toUpperCase();
  const { person } = await ann.ask('query ($userName: String!) { person(userName: $userName) { id } }', { userName });
  same('found by user name', person?.id, bob.id);
  await ann.act('requestFriend', { personId: bob.id, idempotencyKey: randomUUID() });
  const { event: request } = await bob.sees('the request', (event) => event.__typename === 'FriendRequestedUpdate');
  same('who asks', request.from, { id: ann.id, userName: ann.userName });
  await bob.act('confirmFriend', { personId: ann.id, idempotencyKey: randomUUID() });
  const opened = [];
  for (const person of [ann, bob]) {
    const friends = await person.sees('the friendship', (event) => event.__typename === 'FriendConfirmedUpdate');
    same('who agreed', friends.event.by.id, bob.id);
    const started = await person.sees('the conversation', (event) => event.__typename === 'ConversationStartedUpdate');
    same('members', started.event.members.map(({ id }) => id).sort(), [ann.id, bob.id].sort());
    opened.push(started.event.conversationId);
    await listed(person, { id: started.event.conversationId, lastNumber: 0, unreadCount: 0 });
  }
  same('one conversation', opened[0], opened[1]);
  return { ann, bob, conversation: opened[0] };
}

// What a person's list of conversations has to say.
async function listed(person, conversation) {
  await person.reads(person.lastPosition);
  const query = '{ viewer { unreadCount conversations { nodes { id lastNumber unreadCount } } } }';
  const { viewer } = await person.ask(query);
  same(`${person.userName}'s conversations`, viewer.conversations.nodes, [conversation]);
  same(`unread by ${person.userName}`, viewer.unreadCount, conversation.unreadCount);
}

// One's own message reads everything before it; others' messages count.
async function countUnread(ann, bob, conversation) {
  const steps = [[ann, 0, 1], [ann, 0, 2], [bob, 1, 0], [ann, 0, 1]];
  for (const [number, [from, unreadByAnn, unreadByBob]] of steps.entries()) {
    await say(from, conversation, number);
    await Promise.all([ann.seesMessages(number + 1), bob.seesMessages(number + 1)]);
    await listed(ann, { id: conversation, lastNumber: number + 1, unreadCount: unreadByAnn });
    await listed(bob, { id: conversation, lastNumber: number + 1, unreadCount: unreadByBob });
  }
  return steps.length;
}

// Both speak at the same time while Bob's socket breaks and comes back. Each lane waits for its answers, so its
// messages keep their order.
async function chat(ann, bob, conversation, begun) {
  let comeBack;
  const returned = new Promise((resolve) => (comeBack = resolve));
  const lanes = Array.from({ length: 2 * LANES }, (_, first) => ({ from: [ann, bob][first % 2], first }));
  const speaking = lanes.map(async ({ from, first }) => {
    let last = 0;
    for (let index = begun + first; index < TOTAL; index += lanes.length) {
      if (index >= RETURNS_AFTER + lanes.length) await returned;
      const { number } = await say(from, conversation, index);
      expect(number > last, `${from.userName}: number ${number} was given after ${last}`);
      last = number;
    }
  });
  const breaking = async () => {
    await bob.seesMessages(BREAKS_AFTER);
    await bob.dropsSocket();
    const seen = bob.messages.length;
    await ann.seesMessages(RETURNS_AFTER);
    same('nothing arrives on a broken socket', bob.messages.length, seen);
    await bob.follow(bob.lastPosition);
    comeBack();
    return RETURNS_AFTER - seen;
  };
  const [missed] = await within('the conversation', Promise.all([breaking(), ...speaking]), 60_000);
  return missed;
}

// Lets both streams run past everything said, so that a double would have been seen.
async function settle(...people) {
  for (const person of people) {
    const position = await person.signsInElsewhere();
    await person.sees('the new device', (_, seen) => seen === position);
  }
}

// Reads the whole timeline page by page, forwards or backwards.
async function pages(person, conversation, forward) {
  const [size, cursor, more] = forward ? ['first', 'after', 'hasNextPage'] : ['last', 'before', 'hasPreviousPage'];
  const query = `query ($id: ID!, $cursor: String) { node(id: $id) { ... on Conversation {
    timeline(${size}: ${PAGE}, ${cursor}: $cursor) {
    nodes { id number position conversationId sender { id } content { ... on TextContent { text } } }
    pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } } } }`;
  const read = [];
  for (let at = null, page; page?.pageInfo[more] ?? true; at = page.pageInfo[forward ? 'endCursor' : 'startCursor']) {
    expect(read.length < TOTAL, `the timeline has more than ${TOTAL} messages`);
    page = (await person.ask(query, { id: conversation, cursor: at })).node.timeline;
    expect(page.nodes.length > 0, `an empty page at ${at}`);
    read.splice(forward ? read.length : 0, 0, ...page.nodes);
  }
  return read;
}

async function keysHold(ann, conversation) {
  const [{ number, content: { text } }, key] = [said.get(1), keys.get(1)];
  const again = await ann.says(conversation, text, key);
  same('a repeat is the same message', again.message?.number, number);
  same('a repeat is not refused', again.userErrors, []);
  const other = await ann.says(conversation, `${text}!`, key);
  same('a key with another text', other.userErrors.map(({ code }) => code), ['IDEMPOTENCY_KEY_REUSED']);
  same('a refused message', other.message, null);
}

async function story() {
  const { ann, bob, conversation } = await meet();
  const begun = await countUnread(ann, bob, conversation);
  const missed = await chat(ann, bob, conversation, begun);
  await Promise.all([ann.seesMessages(TOTAL), bob.seesMessages(TOTAL)]);
  await keysHold(ann, conversation);
  await settle(ann, bob);

  const expected = Array.from({ length: TOTAL }, (_, index) => said.get(index + 1));
  for (const person of [ann, bob]) {
    await person.reads(person.lastPosition);
    sameMessages(`what ${person.userName} saw live`, person.messages, expected);
    sameMessages(`${person.userName}'s timeline, forwards`, await pages(person, conversation, true), expected);
    sameMessages(`${person.userName}'s timeline, backwards`, await pages(person, conversation, false), expected);
    const lastOwn = expected.findLast(({ sender }) => sender.id === person.id).number;
    await listed(person, { id: conversation, lastNumber: TOTAL, unreadCount: TOTAL - lastOwn });
    await person.signsOut();
  }
  console.log(`${TOTAL} messages, seen once and in one order by both; ${missed} of them while one socket was down`);
}

const began = performance.now();
await story().catch((error) => fail(error.stack ?? error));
console.log(`done in ${((performance.now() - began) / 1000).toFixed(1)} s`);
process.exit(0);
