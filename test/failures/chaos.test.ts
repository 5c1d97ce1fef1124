import { it } from 'vitest';
import { expectNothingLost } from '../support/chaos-test.ts';

it('a minute of random faults loses no event and leaves no ghost', { timeout: 900_000 }, () => expectNothingLost(60));
