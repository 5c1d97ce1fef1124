/**
 * `npm run settings`: writes the table of settings in `docs/reference/settings.md` and
 * `.env.example` from the only list of settings, in `lib/runtime/settings.ts`; a unit test compares
 * them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type SettingMeta, settings, settingsOf } from '../lib/runtime/settings.ts';
import { projectRoot } from './local/paths.ts';

interface Setting extends SettingMeta {
  readonly name: string;
  /** The parts that read it. */
  readonly parts: readonly string[];
  /** Null if it is required. */
  readonly defaultText: string | null;
}

const partNames = { publisher: 'publisher', consumer: 'consumer', sweep: 'sweep', setUp: 'set-up', worker: 'worker' };

function describeSettings(): readonly Setting[] {
  return Object.entries(settings.shape).map(([name, schema]) => {
    const parts = Object.entries(settingsOf).filter(([, part]) => name in part.shape);
    const withoutValue = schema.safeParse(undefined);
    return {
      ...(schema.meta() as unknown as SettingMeta),
      name,
      parts: parts.map(([part]) => partNames[part as keyof typeof partNames]),
      defaultText: withoutValue.success ? String(withoutValue.data) : null,
    };
  });
}

/** The table between the marks. */
export function settingsTable(): string {
  const rows = describeSettings().map(({ name, parts, defaultText, description, secret, referable }) => {
    const readBy = parts.length === Object.keys(settingsOf).length ? 'all' : parts.join(', ');
    const given = defaultText === null ? 'required' : defaultText === '' ? 'none' : `\`${defaultText}\``;
    const notes = [secret ? 'secret' : '', referable ? 'may be a reference' : ''].filter((note) => note !== '');
    return `| \`${name}\` | ${readBy} | ${given} | ${[description, ...notes].join('; ')} |`;
  });
  return ['| variable | read by | default | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

/** `.env.example`: for the worker and the commands. */
export function envExample(): string {
  const lines = describeSettings()
    .filter(({ parts }) => parts.includes('worker') || parts.includes('set-up'))
    .map(({ name, defaultText, description }) => {
      const comment = `# ${description.replaceAll('`', '')}`;
      return defaultText === null ? `${comment}\n${name}=` : `${comment}\n# ${name}=${defaultText}`;
    });
  const heading =
    '# Settings of `npx outgraph worker` and of the other commands; those without # are required. ' +
    'Made by `npm run settings`.';
  return `${[heading, ...lines].join('\n\n')}\n`;
}

const marks = ['<!-- settings: made by npm run settings -->', '<!-- end of settings -->'] as const;

/** The page with the up-to-date table. @throws Error if the page has no place for it. */
export function pageWithTable(page: string): string {
  const [before, rest] = page.split(marks[0]);
  const after = rest?.split(marks[1])[1];
  if (before === undefined || after === undefined)
    throw new Error(`docs/reference/settings.md has no place for the settings: ${marks.join(' … ')}`);
  return `${before}${marks[0]}\n\n${settingsTable()}\n\n${marks[1]}${after}`;
}

export const pageFile = path.join(projectRoot, 'docs/reference/settings.md');
export const envFile = path.join(projectRoot, '.env.example');

if (import.meta.main) {
  writeFileSync(pageFile, pageWithTable(readFileSync(pageFile, 'utf8')));
  writeFileSync(envFile, envExample());
}
