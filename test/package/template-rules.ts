/**
 * Requirements for a template beyond those of cfn-lint: data is encrypted at rest, no permission is
 * wider than necessary, and it contains no secret. Pure functions.
 */
import type { PackagedTemplate } from './package-template.ts';

type Resources = PackagedTemplate['resources'];

/**
 * Types of resources that store data, with the property that encrypts it or the reason why none is
 * needed.
 */
const stores: Readonly<Record<string, { readonly anyOf: readonly string[] } | { readonly reason: string }>> = {
  'AWS::SQS::Queue': { anyOf: ['SqsManagedSseEnabled', 'KmsMasterKeyId'] },
  'AWS::S3::Bucket': { anyOf: ['BucketEncryption'] },
  'AWS::DynamoDB::Table': { anyOf: ['SSESpecification'] },
  'AWS::Kinesis::Stream': { anyOf: ['StreamEncryption'] },
  'AWS::Logs::LogGroup': { reason: 'CloudWatch Logs always encrypts' },
  'AWS::Events::Archive': { reason: 'EventBridge always encrypts; it stores pointers and no payload' },
  'AWS::SNS::Topic': {
    reason: 'CloudWatch cannot publish to a topic that alias/aws/sns encrypts; only names and metrics',
  },
};

/** Resources with a wildcard that a policy may name, each with its reason. */
const wildcards: readonly { readonly resource: RegExp; readonly action?: RegExp; readonly reason: string }[] = [
  {
    resource: /:log-group:\/aws\/lambda\/outgraph-[A-Za-z-]+\*?(:\*)*"?}?$/,
    reason: "the functions' own logs: stream names are known only at run time",
  },
  {
    resource: /(:parameter|:secret:)\/outgraph\/[a-z]+\/(publisher|consumer|sweep|set-up)\/\*"}$/,
    reason: "a function's own secrets, under its name",
  },
  {
    resource: /(:parameter|:secret:)\/outgraph\/[a-z]+\/neo4j-uri\*"}$/,
    reason: 'Secrets Manager appends six characters to each ARN',
  },
  {
    resource: /^"\*"$/,
    action: /^ec2:(\w+(NetworkInterfaces?|PrivateIpAddresses)|DescribeSubnets)$/,
    reason: 'network interfaces have no name before they exist',
  },
];

/** The names of stores that are not encrypted. */
export function unencryptedStores(resources: Resources): readonly string[] {
  return Object.entries(resources).flatMap(([name, { Type, Properties = {} }]) => {
    const rule = stores[Type];
    if (rule === undefined || 'reason' in rule) return [];
    return rule.anyOf.some((property) => Boolean(Properties[property])) ? [] : [`${name} (${Type})`];
  });
}

/**
 * Statements that allow any action, or an action on a resource with a wildcard that has no reason.
 */
export function wideStatements(resources: Resources): readonly string[] {
  return Object.entries(resources).flatMap(([name, { Properties }]) =>
    statementsIn(Properties).flatMap(({ Effect, Action, Resource }) => {
      if (Effect !== 'Allow') return [];
      const actions = [Action].flat().map(String);
      const named = [Resource ?? []].flat().map((one) => JSON.stringify(one));
      const hasReason = (one: string) =>
        wildcards.some(
          ({ resource, action }) => resource.test(one) && actions.every((name) => action?.test(name) ?? true),
        );
      const wide = named.filter((one) => one.includes('*') && !hasReason(one));
      const any = actions.filter((action) => action.includes('*'));
      return [...any, ...wide].map((what) => `${name}: ${what}`);
    }),
  );
}

/**
 * The names of environment variables that contain a secret, or that should refer to one and do not.
 */
export function secretsInEnvironments(resources: Resources): readonly string[] {
  return Object.entries(resources).flatMap(([name, { Type, Properties }]) => {
    if (Type !== 'AWS::Lambda::Function') return [];
    const { Variables = {} } = (Properties?.Environment ?? {}) as { Variables?: Readonly<Record<string, unknown>> };
    return Object.entries(Variables).flatMap(([variable, value]) =>
      isSecret(variable, value) ? [`${name}: ${variable}`] : [],
    );
  });
}

function isSecret(variable: string, value: unknown): boolean {
  if (typeof value !== 'string' || value === '' || /^(ssm|secretsmanager):/.test(value)) return false;
  return /PASSWORD|SECRET|TOKEN|MONGODB_URI/.test(variable) || /:\/\/[^/]*:[^/]*@/.test(value);
}

interface Statement {
  readonly Effect?: unknown;
  readonly Action?: unknown;
  readonly Resource?: unknown;
}

/** All policy statements at any depth. */
function statementsIn(value: unknown): readonly Statement[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('Effect' in value && 'Action' in value) return [value];
  return Object.values(value).flatMap(statementsIn);
}
