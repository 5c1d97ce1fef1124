#!/usr/bin/env node
/**
 * The command `outgraph`. In an installed package it is the compiled one, under the Node of whoever installed it: Node
 * strips no types below node_modules. In a clone it is the source, under the Node that the project pins.
 */
import { existsSync } from 'node:fs';

/** The oldest Node that runs the commands; the writer library runs on older ones. */
const oldestNode = 22;

const source = 'cli/outgraph.ts';
if (existsSync(new URL(`../${source}`, import.meta.url))) {
  process.argv.splice(2, 0, source);
  await import('../tools/local/bootstrap.mjs');
} else if (Number(process.versions.node.split('.')[0]) < oldestNode) {
  console.error(
    `outgraph needs Node ${oldestNode} or newer, and this is Node ${process.versions.node}: install a newer Node.`,
  );
  process.exit(2);
} else {
  await import('../dist/cli/outgraph.js');
}
