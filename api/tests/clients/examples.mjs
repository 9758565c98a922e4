// Runs the examples of docs/api.md and of the README as they stand there, against a fresh server: what they print has
// to be what the page says, and the TypeScript has to pass the compiler.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const url = process.argv[2];
if (!url) {
  console.error('usage: node examples.mjs http://localhost:8000/graphql');
  process.exit(2);
}

const WRITTEN_FOR = 'http://localhost:8000/graphql';
// How long all examples of one language may take, in milliseconds.
const PATIENCE_MS = 60_000;
// What one block printed ends with this line.
const END_OF_BLOCK = '--- end of block ---';

const home = fileURLToPath(new URL('.', import.meta.url));
const [folder, bin] = [`${home}.examples/`, `${home}node_modules/.bin/`];
const page = (path) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8').replaceAll(WRITTEN_FOR, url);
const [, examples] = page('docs/api.md').split(/^## Examples$/m);
const fenced = [...examples.matchAll(/^```(sh|ts|json)\n(.*?)^```$/gms)];
const blocks = fenced.map(([, language, text]) => ({ language, text }));

const run = (program, args, options) =>
  execFileSync(program, args, { cwd: folder, encoding: 'utf8', timeout: PATIENCE_MS, ...options });

// One JSON value after the other, as the answers of several requests are.
function values(text) {
  const [found, rest] = [[], text.trim()];
  for (let from = 0, to = 1; to <= rest.length; to++) {
    if (rest[to - 1] !== '}' || (to < rest.length && !/[\s{]/.test(rest[to]))) continue;
    try {
      found.push(JSON.parse(rest.slice(from, to)));
      from = to;
    } catch {
      // The value goes on behind this brace.
    }
  }
  return found;
}

// What was found, with "..." where the page says so.
function likeThePage(found, expected) {
  if (expected === '...' && typeof found === 'string') return '...';
  if (Array.isArray(found) && Array.isArray(expected)) return found.map((item, at) => likeThePage(item, expected[at]));
  if (found && expected && typeof found === 'object') {
    return Object.fromEntries(Object.entries(found).map(([key, item]) => [key, likeThePage(item, expected[key])]));
  }
  return found;
}

function shell() {
  const commands = blocks.filter(({ language }) => language === 'sh');
  const script = commands.map(({ text }) => `${text}echo "${END_OF_BLOCK}"\n`).join('');
  const said = run('bash', ['-euo', 'pipefail'], { input: script, env: { PATH: process.env.PATH } });
  const printed = said.split(END_OF_BLOCK);
  assert.equal(printed.length, commands.length + 1);
  let checked = 0;
  for (const [at, { language, text }] of blocks.entries()) {
    if (language !== 'json') continue;
    const output = printed[commands.indexOf(blocks[at - 1])];
    const [found, expected] = [values(output), values(text)];
    assert.ok(expected.length > 0, `no JSON in:\n${text}`);
    assert.deepEqual(likeThePage(found, expected), expected, `after\n${blocks[at - 1].text}`);
    checked += expected.length;
  }
  console.log(`${commands.length} blocks for the shell, ${checked} answers as the page says`);
}

// The chat of the README. Its last command shows what Bob's views have by then, so it is repeated until Ann's message
// is there.
function readme() {
  const [, script] = page('README.md').match(/^### The same with curl$.*?^```bash\n(.*?)^```$/ms);
  const last = script.slice(script.lastIndexOf('\ngql "$BOB"')).trim();
  const arrived = `ANSWER=$(${last}) && grep -q 'hello 你好' <<<"$ANSWER"`;
  const patient = `${script}until ${arrived}; do sleep 0.05; done; echo "$ANSWER"`;
  const printed = run('bash', ['-euo', 'pipefail'], { input: patient, env: { PATH: process.env.PATH } });
  const read = values(printed.trimEnd().split('\n').at(-1))[0].data.viewer.conversations.nodes[0];
  assert.equal(read.unreadCount, 1);
  const said = { number: 1, sender: { userName: 'ann001' }, content: { text: 'hello 你好' } };
  assert.deepEqual(read.timeline.nodes, [said]);
  console.log('the chat of the README');
}

const TSCONFIG = {
  compilerOptions: {
    strict: true, noEmit: true, skipLibCheck: true, noUncheckedIndexedAccess: true, target: 'es2023',
    module: 'nodenext', moduleResolution: 'nodenext', lib: ['es2023', 'dom'], types: ['node'],
  },
  files: ['example.mts'],
};

function typescript() {
  const program = blocks.filter(({ language }) => language === 'ts').map(({ text }) => text).join('\n');
  writeFileSync(`${folder}example.mts`, program);
  writeFileSync(`${folder}tsconfig.json`, JSON.stringify(TSCONFIG));
  const documents = [...program.matchAll(/\/\* GraphQL \*\/ `([^`]*)`/g)].map(([, document]) => document);
  writeFileSync(`${folder}documents.graphql`, documents.join('\n'));
  run(`${bin}tsc`, ['-p', 'tsconfig.json']);
  run(`${bin}eslint`, ['-c', 'schema/eslint.config.mjs', '.examples/documents.graphql'], { cwd: home });
  const printed = run(`${bin}tsx`, ['example.mts']).trimEnd().split('\n');
  assert.deepEqual(printed, [...program.matchAll(/\/\/ → (.*)$/gm)].map(([, line]) => line));
  console.log(`TypeScript: ${printed.length} lines as the page says, ${documents.length} documents`);
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
try {
  shell();
  typescript();
  readme();
} catch (error) {
  console.error(`${error.message}\n${error.stdout ?? ''}${error.stderr ?? ''}`);
  process.exit(1);
}
