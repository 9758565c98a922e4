// Runs every server audit of graphql-http; anything but "ok" fails, optional ones included.
import { auditServer } from 'graphql-http';

const url = process.argv[2];
if (!url) {
  console.error('usage: node audit.mjs http://localhost:8000/graphql');
  process.exit(2);
}

const results = await auditServer({ url });
const failed = results.filter((result) => result.status !== 'ok');
for (const { id, name, status, reason } of failed) {
  console.error(`${status} ${id} ${name}: ${reason}`);
}
console.log(`${results.length - failed.length}/${results.length} audits ok`);
process.exit(failed.length === 0 && results.length >= 61 ? 0 : 1);
