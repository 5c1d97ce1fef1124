/**
 * The doctor's checks of the configuration: settings, references, encryption, the catalog and Node.
 */
import { describeError } from '../../lib/contract/fault.ts';
import { bookkeepingPrefix, namePattern } from '../../lib/contract/subgraph.ts';
import type { AggregateCatalog } from '../../lib/projection/catalog.ts';
import { isLocalAddress, isPlainAddress } from '../../lib/runtime/address.ts';
import { isReference, parseReference, type Reference } from '../../lib/runtime/reference.ts';
import { allowsPlainConnections, type Environment, plainAddressProblem, settings } from '../../lib/runtime/settings.ts';
import { type UnknownSetting, unknownSettingsText } from '../../lib/runtime/unknown-settings.ts';
import type { LoadedCatalog } from '../terminal/read-catalog.ts';
import { type Check, type Finding, ok, skipped, warning, wrong } from './doctor.ts';
import { oldestNode } from './expectations.ts';

type SettingName = keyof typeof settings.shape;

export interface SettingState {
  readonly name: SettingName;
  /** `absent`: not set, and without a default. */
  readonly state: 'set' | 'default' | 'absent' | 'invalid' | 'unreadable';
  /** The parsed value; undefined without one. */
  readonly value: unknown;
  /** The problem, as text; never contains a value that may be a secret. */
  readonly problem: string | null;
  /** Whether it is a reference to SSM or Secrets Manager. */
  readonly isReferred: boolean;
}

/** Reads each setting of all parts separately, and resolves references. */
export function readSettingStates(
  environment: Environment,
  read: (reference: Reference) => Promise<string>,
): Promise<readonly SettingState[]> {
  return Promise.all((Object.keys(settings.shape) as SettingName[]).map((name) => readState(name, environment, read)));
}

async function readState(
  name: SettingName,
  environment: Environment,
  read: (reference: Reference) => Promise<string>,
): Promise<SettingState> {
  const given = environment[name];
  const reference = given !== undefined && isReference(given) ? parseReference(given) : null;
  const state = (found: Partial<SettingState>): SettingState => {
    return { name, state: 'set', value: undefined, problem: null, isReferred: reference !== null, ...found };
  };
  try {
    const text = reference === null ? given : await read(reference);
    const { success, data, error } = settings.shape[name].safeParse(text);
    const plain = allowsPlainConnections(environment) ? undefined : plainAddressProblem(name, text);
    if (plain !== undefined) return state({ state: 'invalid', problem: plain });
    if (success) return state({ state: given === undefined ? 'default' : 'set', value: data });
    if (given === undefined || given === '') return state({ state: 'absent' });
    return state({ state: 'invalid', problem: error.issues.map(({ message }) => message).join('; ') });
  } catch (error) {
    return state({ state: 'unreadable', problem: describeError(error).reason });
  }
}

/** The usable text of a setting, or null. */
export function textOf(states: readonly SettingState[], name: SettingName): string | null {
  const value = states.find((one) => one.name === name)?.value;
  return typeof value === 'string' && value !== '' ? value : null;
}

export interface ConfigurationFacts {
  readonly states: readonly SettingState[];
  /** The files that completed the environment, such as `.env`. */
  readonly files: readonly string[];
  readonly unknown: readonly UnknownSetting[];
  readonly loaded: LoadedCatalog;
  /** As `process.versions.node`. */
  readonly nodeVersion: string;
}

export function configurationChecks({
  states,
  files,
  unknown,
  loaded,
  nodeVersion,
}: ConfigurationFacts): readonly Check[] {
  const check = (name: string, finding: () => Finding): Check => {
    return { group: 'Configuration', name, advice: 'See docs/reference/settings.md.', examine: async () => finding() };
  };
  return [
    check('files', () => ok(files.length > 0 ? `read ${files.join(' and ')}` : 'no .env, and no config file')),
    check('settings', () => judgeSettings(states)),
    check('unknown settings', () => judgeUnknown(unknown)),
    check('references', () => judgeReferences(states)),
    check('encryption', () => judgeEncryption(states)),
    check('catalog', () => (loaded.catalog === null ? unloadable(loaded.problem) : judgeCatalog(loaded.catalog))),
    check('Node.js', () => judgeNode(nodeVersion)),
  ];
}

/** Every part requires these. Only some parts require the other settings. */
const required: readonly SettingName[] = ['MONGODB_URI', 'NEO4J_URI'];

function judgeSettings(states: readonly SettingState[]): Finding {
  const invalid = states.filter(({ state }) => state === 'invalid').map(({ name, problem }) => `${name} ${problem}`);
  const absent = states.filter(({ state }) => state === 'absent').map(({ name }) => name);
  const missing = absent.filter((name) => required.includes(name)).map((name) => `${name} is not set`);
  if (invalid.length + missing.length > 0)
    return wrong(
      [...missing, ...invalid].join('; '),
      'Correct these environment variables (docs/reference/settings.md).',
    );
  if (absent.includes('QUEUE_URL') !== absent.includes('DEAD_LETTER_QUEUE_URL'))
    return warning(
      'only one of QUEUE_URL and DEAD_LETTER_QUEUE_URL is set',
      'Set both or neither (the worker needs neither).',
    );
  const set = states.filter(({ state }) => state === 'set').length;
  return ok(`${set} set, all valid${absent.length > 0 ? `; not set: ${absent.join(', ')}` : ''}`);
}

function judgeUnknown(unknown: readonly UnknownSetting[]): Finding {
  if (unknown.length === 0) return ok('none');
  return warning(
    `no part reads ${unknownSettingsText(unknown)}`,
    'Correct the names (docs/reference/settings.md); ignore those of other programs.',
  );
}

function judgeReferences(states: readonly SettingState[]): Finding {
  const referred = states.filter(({ isReferred }) => isReferred);
  if (referred.length === 0) return skipped('no setting is a reference to SSM or Secrets Manager');
  const unreadable = referred.filter(({ state }) => state === 'unreadable');
  if (unreadable.length === 0) return ok(`readable: ${referred.map(({ name }) => name).join(', ')}`);
  return wrong(
    unreadable.map(({ name, problem }) => `${name}: ${problem}`).join('; '),
    'Check that it exists in AWS_REGION, and that this user may read it ' +
      '(ssm:GetParameter, secretsmanager:GetSecretValue, kms:Decrypt).',
  );
}

function judgeEncryption(states: readonly SettingState[]): Finding {
  const addresses = { MongoDB: textOf(states, 'MONGODB_URI'), Neo4j: textOf(states, 'NEO4J_URI') };
  const ways = Object.entries(addresses).flatMap(([server, address]) =>
    address === null ? [] : [{ server, way: wayTo(address) }],
  );
  if (ways.length === 0) return skipped('no address is valid');
  const words = ways.map(({ server, way }) => `${server} ${way}`).join(', ');
  if (ways.some(({ way }) => way === 'without TLS'))
    return warning(
      words,
      'OUTGRAPH_ALLOW_PLAIN_CONNECTIONS is set: anyone on the network between can read and change what is sent, ' +
        'also passwords. Use TLS unless you trust that network.',
    );
  if (addresses.Neo4j !== null && !isLocalAddress(addresses.Neo4j) && textOf(states, 'NEO4J_USERNAME') === null)
    return warning(`${words}; without a user for Neo4j`, 'Set NEO4J_USERNAME and NEO4J_PASSWORD.');
  return ok(words);
}

function wayTo(address: string): 'on this machine' | 'without TLS' | 'over TLS' {
  if (isLocalAddress(address)) return 'on this machine';
  return isPlainAddress(address) ? 'without TLS' : 'over TLS';
}

function unloadable(problem: string): Finding {
  return wrong(problem, 'Pass --catalog a module that exports "catalog", made by createCatalog.');
}

/**
 * Two types must agree on the key of a label. Otherwise the set-up would follow one of them, and
 * all events of the other would be dead.
 */
function judgeCatalog(catalog: AggregateCatalog): Finding {
  const keys = new Map<string, { readonly key: string; readonly type: string }>();
  const problems: string[] = [];
  const isName = (name: string) => namePattern.test(name) && !name.startsWith(bookkeepingPrefix);
  for (const { type, collection, declares } of catalog.values()) {
    if (collection === '') problems.push(`${type} names no collection`);
    for (const [label, names] of Object.entries(declares?.labels ?? {})) {
      const key = [...names].sort().join(', ');
      const other = keys.get(label);
      keys.set(label, { key, type });
      if (names.length === 0) problems.push(`${type} declares the label ${label} without a key`);
      if (other !== undefined && other.key !== key)
        problems.push(`${other.type} keys the label ${label} by (${other.key}), ${type} by (${key})`);
      for (const name of [label, ...names])
        if (!isName(name)) problems.push(`${type}: "${name}" is not an allowed name`);
    }
    for (const name of declares?.types ?? [])
      if (!isName(name)) problems.push(`${type}: "${name}" is not an allowed relationship type`);
  }
  if (problems.length > 0) return wrong(problems.join('; '), 'Correct the declarations of the aggregate types.');
  return ok(`${catalog.size} aggregate types, ${keys.size} labels, each with one key`);
}

function judgeNode(version: string): Finding {
  if (Number(version.split('.')[0]) >= oldestNode) return ok(version);
  return wrong(
    `${version}, but everything except the writers needs ${oldestNode} or newer`,
    `Install Node ${oldestNode} or newer.`,
  );
}
