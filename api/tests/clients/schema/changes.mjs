// What changed in the schema since the last release. Exits 1 when a change breaks clients and the changelog does not
// name it: in backticks, in the section of the next release.
import { readFileSync } from 'node:fs';
import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildSchema } from 'graphql';

const [released, current, changelog] = process.argv.slice(2);
if (!changelog) {
  console.error('usage: node schema/changes.mjs RELEASED.graphql CURRENT.graphql CHANGELOG.md');
  process.exit(2);
}

// The changelog from "## [Unreleased]" to the next release.
function unreleased(text) {
  const [, section] = text.split(/^## \[Unreleased\].*$/m);
  return section?.split(/^## /m)[0] ?? '';
}

const [before, now] = [released, current].map((file) => buildSchema(readFileSync(file, 'utf8')));
const named = unreleased(readFileSync(changelog, 'utf8'));
const changes = await diff(before, now);
for (const { criticality, message } of changes) {
  console.log(`${criticality.level.toLowerCase()}: ${message}`);
}
const breaking = changes.filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking);
const silent = breaking.filter(({ path }) => !named.includes(`\`${path}\``));
for (const { path, message } of silent) {
  console.error(`This breaks clients, and CHANGELOG.md does not name \`${path}\` under "Unreleased": ${message}`);
}
console.log(`${changes.length} changes since the last release, ${breaking.length} of them breaking`);
process.exit(silent.length === 0 ? 0 : 1);
