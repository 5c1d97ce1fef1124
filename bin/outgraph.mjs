#!/usr/bin/env node
/**
 * The command `outgraph`. In an installed package it is the compiled one, under the Node of whoever installed it: Node strips no types below node_modules. In a clone it is the source, under the Node that the
 * project pins.
 */
import { existsSync } from 'node:fs';

const source = 'cli/outgraph.ts';
if (existsSync(new URL(`../${source}`, import.meta.url))) {
  process.argv.splice(2, 0, source);
  await import('../infra/local/bootstrap.mjs');
} else {
  await import('../dist/cli/outgraph.js');
}
