/** The cost table is what its script computes, and the script's arithmetic is what a person would do. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { busyConsumers, costPage, functionsCost, withCostTables, workersCost } from '../../../tools/cost.ts';

it('docs/cost.md holds the tables of tools/cost.ts; node tools/cost.ts --write brings them up to date', () => {
  const page = readFileSync(costPage, 'utf8');
  expect(withCostTables(page)).toBe(page);
});

it.each([
  ['EventBridge, events', 100, 262.8],
  ['Lambda, publisher', 1, 20.44],
  ['Secrets Manager', 5_000, 0.8],
])('%s at %d events a second cost $%d, as computed by hand', (name, rate, dollars) => {
  expect(functionsCost(rate).find((line) => line.name === name)?.dollars).toBeCloseTo(dollars, 2);
});

it('consumers are busy for the time of their batches, and a month of two workers costs what their hours do', () => {
  // 10 batches of 500: each takes 0.05 s and 500 times 0.4 ms.
  expect(busyConsumers(5_000)).toBeCloseTo(10 * (0.05 + 500 * 0.0004));
  expect(workersCost()).toBeCloseTo(2 * 730 * (2 * 0.03238 + 4 * 0.00356), 6);
});
