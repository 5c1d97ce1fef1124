#!/usr/bin/env node
/** The command `outgraph`: runs under whatever Node starts it, and goes on with the one that the project pins. */
process.argv.splice(2, 0, 'cli/outgraph.ts');
await import('../infra/local/bootstrap.mjs');
