/**
 * The trigger is defined in one place, `infra/atlas/trigger.json`: Terraform reads everything from
 * it except what it has no argument for.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { atlasFolder, atlasTrigger } from '../../support/atlas-trigger.ts';

/**
 * Fields of a database trigger's `config`.
 *
 * https://github.com/mongodb/docs-app-services/blob/master/source/openapi-admin-v3.yaml
 * (DatabaseTrigger)
 */
const adminApiFields = [
  'service_id',
  'database',
  'collection',
  'operation_types',
  'match',
  'project',
  'full_document',
  'full_document_before_change',
  'skip_catchup_events',
  'tolerate_resume_errors',
  'maximum_throughput',
  'unordered',
];

/**
 * Arguments of `mongodbatlas_event_trigger` for a database trigger.
 *
 * https://github.com/mongodb/terraform-provider-mongodbatlas/blob/v2.16.0/internal/service/eventtrigger/resource_event_trigger.go
 */
const terraformArguments = [
  'project_id',
  'app_id',
  'name',
  'type',
  'function_id',
  'disabled',
  'config_operation_types',
  'config_database',
  'config_collection',
  'config_service_id',
  'config_match',
  'config_project',
  'config_full_document',
  'config_full_document_before',
  'unordered',
  'event_processors',
];

/**
 * Fields without an argument in Terraform. docs/how-to/use-an-atlas-trigger.md says how to set the
 * first one.
 */
const notInTerraform = ['tolerate_resume_errors', 'skip_catchup_events', 'maximum_throughput'];

const terraform = readFileSync(path.join(atlasFolder, 'main.tf'), 'utf8');
const resource = /^resource "mongodbatlas_event_trigger" "outbox" \{\n(.*?)^\}/ms.exec(terraform)?.[1] ?? '';
const assigned = new Map(
  [...resource.matchAll(/^ {2}(\w+) += (.+)$/gm)].map(([, name = '', value = '']) => [name, value]),
);

it('the trigger watches inserts into the outbox, and passes only the fields of a pointer', () => {
  const { collection, operation_types, match, project } = atlasTrigger.config;
  expect({ collection, operation_types, match }).toStrictEqual({
    collection: outboxCollection,
    operation_types: ['INSERT'],
    match: { operationType: 'insert' },
  });
  // Atlas requires operationType, and allows only inclusions.
  expect(project).toStrictEqual({
    operationType: 1,
    'fullDocument._id': 1,
    'fullDocument.aggregateType': 1,
    'fullDocument.aggregateId': 1,
  });
});

it('every field of the trigger is known to the Admin API', () => {
  expect(Object.keys(atlasTrigger.config).filter((field) => !adminApiFields.includes(field))).toStrictEqual([]);
});

it('every argument in Terraform is known to the provider', () => {
  expect(assigned.size).toBeGreaterThan(10);
  expect([...assigned.keys()].filter((name) => !terraformArguments.includes(name))).toStrictEqual([]);
});

it('Terraform reads every field from the file, except those it has no argument for', () => {
  const argumentOf = (field: string) => {
    if (field === 'unordered') return field;
    return field === 'full_document_before_change' ? 'config_full_document_before' : `config_${field}`;
  };
  const fromFile = Object.keys(atlasTrigger.config).filter((field) => {
    const value = assigned.get(argumentOf(field));
    return value === `local.trigger.config.${field}` || value === `jsonencode(local.trigger.config.${field})`;
  });
  const missing = Object.keys(atlasTrigger.config).filter((field) => !fromFile.includes(field));
  expect(missing.sort()).toStrictEqual([...notInTerraform].sort());
  expect(['name', 'type', 'disabled'].map((name) => assigned.get(name))).toStrictEqual([
    'local.trigger.name',
    'local.trigger.type',
    'local.trigger.disabled',
  ]);
});

it("fields that Terraform cannot set have Atlas's defaults, except for auto-resume", () => {
  const { tolerate_resume_errors, skip_catchup_events, maximum_throughput } = atlasTrigger.config;
  expect({ tolerate_resume_errors, skip_catchup_events, maximum_throughput }).toStrictEqual({
    tolerate_resume_errors: true,
    skip_catchup_events: false,
    maximum_throughput: false,
  });
  expect(atlasTrigger.event_processors.AWS_EVENTBRIDGE.config).toStrictEqual({ extended_json_enabled: false });
});
