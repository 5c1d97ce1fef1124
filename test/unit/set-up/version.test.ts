/** A changed set-up needs a new version, so that an older one does not undo it. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { withoutSource } from '../../../lib/contract/registry-keys.ts';
import { idConstraint, keyConstraint, registryNeeds } from '../../../lib/graph/neo4j-schema.ts';
import { forgetFields, forgetSeconds, indexes } from '../../../lib/set-up/mongodb-outbox.ts';
import { outboxValidator } from '../../../lib/set-up/mongodb-validator.ts';
import { setUpVersion } from '../../../lib/set-up/mongodb-version.ts';
import { tombstoneIndexOf } from '../../../lib/set-up/neo4j-graph.ts';

/** The hash of what each version makes. Add a line for a new version; never change one. */
const hashes: Readonly<Record<number, string>> = {
  1: 'ced95275f335b8235c6e0a147d5aa14d19dd38400028925b3ac1bdc2494444a9',
};

it('is increased when the validator, an index or a constraint changes', () => {
  const parts = {
    validator: outboxValidator(),
    indexes,
    forgetFields,
    forgetSeconds,
    registry: [...registryNeeds.labels],
    constraints: [keyConstraint('Label'), idConstraint('TYPE'), tombstoneIndexOf(withoutSource).name],
  };
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  expect(hashes[setUpVersion], `The set-up differs from version ${setUpVersion}: increase setUpVersion.`).toBe(hash);
});
