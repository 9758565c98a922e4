// graphql-eslint's recommended rules and its Relay rules, with the exceptions that have a reason.
import { fileURLToPath } from 'node:url';
import graphqlPlugin from '@graphql-eslint/eslint-plugin';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const rules = (name) => graphqlPlugin.configs[`flat/${name}`].rules;
const graphQLConfig = {
  schema: at('../../../../schema.graphql'),
  documents: [at('../operations/*.graphql'), at('../.examples/*.graphql')],
};

const exceptions = {
  // An id is for what can be fetched again by it. These are values, or envelopes around things that have one; `Friend`
  // is a person as the viewer knows them, `Member` one with a role, and the person has the id.
  '@graphql-eslint/strict-id-in-types': [
    'error',
    {
      acceptedIdNames: ['id'],
      acceptedIdTypes: ['ID'],
      exceptions: {
        suffixes: ['Connection', 'Edge', 'Payload', 'Update'],
        types: ['Friend', 'Log', 'Member', 'PageInfo', 'TextContent', 'UserError', 'Viewer'],
      },
    },
  ],
  // Not every list is a page: `userErrors` and an update's `members` are whole, and `nodes` spares those who need no
  // cursors the edges. `Friend` and `Member`, as above, are no `Node`.
  '@graphql-eslint/relay-edge-types': [
    'error',
    { withEdgeSuffix: true, listTypeCanWrapOnlyEdgeType: false, shouldImplementNode: false },
  ],
  // The viewer's lists begin with the newest and are read forward only. A timeline is read both ways.
  '@graphql-eslint/relay-arguments': ['error', { includeBoth: false }],
};

export default [
  {
    files: ['**/*.graphql'],
    languageOptions: { parser: graphqlPlugin.parser, parserOptions: { graphQLConfig } },
    plugins: { '@graphql-eslint': graphqlPlugin },
  },
  { files: ['**/schema.graphql'], rules: { ...rules('schema-recommended'), ...rules('schema-relay'), ...exceptions } },
  { files: ['**/operations/*.graphql', '**/.examples/*.graphql'], rules: rules('operations-recommended') },
];
