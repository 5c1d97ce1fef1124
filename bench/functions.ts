/**
 * Measures each function: the size of its bundle, zipped as for Lambda, and the time that a new
 * process takes to load it.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { type Bundle, bundleFunctions } from '../tools/bundle-functions.ts';
import { spread } from './compare.ts';
import type { Benchmark, Figure } from './figure.ts';

const loads = 9;
const shownPackages = 4;

/** Settings that every function accepts. Nothing connects before the first event. */
const environment = {
  MONGODB_URI: 'mongodb://127.0.0.1:1',
  NEO4J_URI: 'bolt://127.0.0.1:1',
  EVENT_BUS_NAME: 'bus',
  QUEUE_URL: 'https://queue.invalid/1/queue',
  DEAD_LETTER_QUEUE_URL: 'https://queue.invalid/1/dead-letters',
  AWS_REGION: 'us-east-1',
};

export const functionsBenchmark: Benchmark = {
  name: 'functions',
  needs: [],
  run: async ({ folder }) => {
    const bundles = await bundleFunctions('xmem');
    const files = path.join(folder, 'bundles');
    await mkdir(files, { recursive: true });
    const figures: Figure[] = [];
    for (const bundle of bundles) {
      const file = path.join(files, `${bundle.name}.cjs`);
      await writeFile(file, bundle.code);
      figures.push(sizeFigure(bundle), loadFigure(bundle, file));
    }
    return figures;
  },
};

function sizeFigure({ name, code, packages }: Bundle): Figure {
  const largest = [...packages].sort(([, left], [, right]) => right - left).slice(0, shownPackages);
  return {
    figure: `${name}, bundle zipped (KB)`,
    ratio: spread('zipped', [deflateRawSync(code).length / 1024]),
    goal: null,
    rates: largest.map(([owner, bytes]) => spread(owner, [bytes / 1024])),
    unit: 'KB before zipping',
  };
}

function loadFigure({ name }: Bundle, file: string): Figure {
  const script = [
    'const t = performance.now()',
    `require(${JSON.stringify(file)})`,
    'process.stdout.write(String(performance.now() - t))',
    'process.exit()',
  ].join('; ');
  const times = Array.from({ length: loads }, () => {
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], {
      env: { ...process.env, ...environment },
      encoding: 'utf8',
    });
    if (stdout === '') throw new Error(`${name} could not be loaded: ${stderr}`);
    return Number(stdout);
  });
  const load = spread('load', times);
  return {
    figure: `${name}, loading its module in a fresh process (ms)`,
    ratio: load,
    goal: null,
    rates: [load],
    unit: 'ms',
  };
}
