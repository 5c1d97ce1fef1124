import { it } from 'vitest';
import { expectNothingLost } from '../support/chaos-test.ts';

it('ten minutes of random faults lose no event and leave no ghost', { timeout: 1_800_000 }, () =>
  expectNothingLost(600),
);
