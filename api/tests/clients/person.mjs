// One person at two devices: queries and mutations by plain HTTP, updates through npm graphql-ws.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

// How long one answer, one connection or one awaited update may take, in milliseconds.
const PATIENCE_MS = 15_000;

const UPDATES = `subscription ($after: Position) {
  updates(after: $after) {
    position
    event {
      __typename
      ... on FriendRequestedUpdate { from { id userName } to { id } }
      ... on FriendConfirmedUpdate { from { id } by { id } }
      ... on ConversationStartedUpdate { conversationId members { id } }
      ... on MessageSentUpdate { message { ...Said } }
    }
  }
}
fragment Said on Message { id number position conversationId sender { id } content { ... on TextContent { text } } }`;

// Ends the story: something differs from what was promised.
export function fail(message) {
  console.error(`FAILED: ${message}`);
  process.exit(1);
}

export function expect(truth, message) {
  if (!truth) fail(message);
}

// A promise with a deadline that says what was waited for.
export function within(what, promise, patience = PATIENCE_MS) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${patience / 1000} s`)), patience);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export class Person {
  updates = [];
  #url;
  #token;
  #socket;
  #client;
  #lost;
  #waiting = new Set();

  constructor(url, userName) {
    this.#url = url;
    this.userName = userName;
    this.password = `secret of ${userName}`;
  }

  // One request; the data, or the end of the story when there are errors.
  async ask(query, variables = {}) {
    const headers = { 'content-type': 'application/json', accept: 'application/graphql-response+json' };
    if (this.#token) headers.authorization = `Bearer ${this.#token}`;
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const body = JSON.stringify({ query, variables });
    const answer = await fetch(this.#url, { method: 'POST', headers, signal, body });
    const text = await answer.text();
    expect(answer.ok, `${this.userName} got status ${answer.status}: ${text}`);
    const { data, errors } = JSON.parse(text);
    expect(!errors, `${this.userName} got errors: ${JSON.stringify(errors)}`);
    return data;
  }

  // One mutation without arguments besides its input; its payload, refused or not.
  async attempt(mutation, input, selection) {
    const type = `${mutation[0].toUpperCase()}${mutation.slice(1)}Input!`;
    const query = `mutation ($input: ${type}) { payload: ${mutation}(input: $input) {
      position userErrors { code message path } ${selection} } }`;
    return (await this.ask(query, { input })).payload;
  }

  // The same, for what has to be done.
  async act(mutation, input, selection = '') {
    const payload = await this.attempt(mutation, input, selection);
    const refusal = JSON.stringify(payload.userErrors);
    expect(payload.userErrors.length === 0, `${mutation} by ${this.userName} was refused: ${refusal}`);
    return payload;
  }

  async register() {
    const { userName, password } = this;
    const joined = await this.act('register', { userName, password }, 'token viewer { person { id } }');
    this.#token = joined.token;
    this.id = joined.viewer.person.id;
  }

  // Signs in on one more device: the position at which one's own updates say so.
  async signsInElsewhere() {
    const { userName, password } = this;
    return (await this.act('signIn', { userName, password })).position;
  }

  // Signs this device out, which closes its socket.
  async signsOut() {
    const { signOut } = await this.ask('mutation { signOut { userErrors { code } } }');
    expect(signOut.userErrors.length === 0, `${this.userName} cannot sign out: ${JSON.stringify(signOut.userErrors)}`);
    await this.losesSocket(4403);
  }

  get token() {
    return this.#token;
  }

  says(conversationId, text, idempotencyKey) {
    const input = { conversationId, content: { text }, idempotencyKey };
    return this.attempt('sendMessage', input, 'message { id number position }');
  }

  get lastPosition() {
    return this.updates.at(-1)?.position;
  }

  get messages() {
    return this.updates.map(({ event }) => event.message).filter(Boolean);
  }

  // Waits until queries show everything up to a position: updates come before the views have them.
  async reads(position) {
    const asked = async () => {
      const late = AbortSignal.timeout(PATIENCE_MS);
      while (!late.aborted) {
        const { log } = await this.ask('{ log { position } }');
        if (BigInt(log.position) >= BigInt(position)) return;
      }
    };
    await within(`the views reach ${position}`, asked());
  }

  // Subscribes to everything after a position, on a socket of its own.
  async follow(after) {
    this.#client = createClient({
      url: `${this.#url.replace(/^http/, 'ws')}/ws`,
      webSocketImpl: WebSocket,
      connectionParams: { token: this.#token },
      retryAttempts: 0,
      lazy: true,
    });
    const connected = new Promise((resolve) => {
      this.#client.on('connected', (socket, payload) => {
        this.#socket = socket;
        resolve(payload);
      });
    });
    this.#lost = new Promise((resolve) => {
      this.#client.subscribe(
        { query: UPDATES, variables: { after } },
        { next: (result) => this.#take(result), error: resolve, complete: () => resolve({ code: 'complete' }) },
      );
    });
    const { log, code } = await within(`${this.userName} connects`, Promise.race([connected, this.#lost]));
    expect(log?.epoch && log.position, `${this.userName} was not let in with the log's state: ${code}`);
  }

  #take({ data, errors }) {
    expect(!errors, `${this.userName}'s updates failed: ${JSON.stringify(errors)}`);
    const update = data.updates;
    const [last, next] = [this.lastPosition ?? '0', update.position];
    expect(BigInt(next) > BigInt(last), `${this.userName} saw position ${next} after ${last}: doubled or out of order`);
    this.updates.push(update);
    for (const look of this.#waiting) look();
  }

  // The first update that matches, seen already or to come.
  async sees(what, matches) {
    let look;
    const seen = new Promise((resolve) => {
      look = () => {
        const found = this.updates.find(({ event, position }) => matches(event, position));
        if (found) resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
    const lost = this.#lost.then((end) => ({ end }));
    const outcome = await within(`${this.userName} sees ${what}`, Promise.race([seen, lost])).finally(() => {
      this.#waiting.delete(look);
    });
    const { end } = outcome;
    expect(!end, `${this.userName} waits for ${what}, but the socket is lost: ${JSON.stringify(end?.code ?? end)}`);
    return outcome;
  }

  seesMessages(count) {
    return this.sees(`message ${count}`, (event) => event.message?.number === count);
  }

  // Breaks the connection as a lost network does: no close frame, no farewell.
  async dropsSocket() {
    this.#socket.terminate();
    await this.losesSocket(1006);
  }

  // Waits for the end of the socket and checks its close code.
  async losesSocket(code) {
    const end = await within(`${this.userName}'s socket closes`, this.#lost);
    expect(end.code === code, `${this.userName}'s socket ended with ${end.code ?? JSON.stringify(end)}, not ${code}`);
  }
}
