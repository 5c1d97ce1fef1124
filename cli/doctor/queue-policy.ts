/**
 * Checks whether a queue's policy allows EventBridge. Ignores Deny statements, and all conditions
 * except those on the rule.
 */
import { z } from 'zod';

const texts = z.union([z.string().transform((one) => [one]), z.array(z.string())]);

const statement = z.object({
  Effect: z.string(),
  Principal: z.union([z.literal('*'), z.object({ Service: texts.optional(), AWS: texts.optional() })]).optional(),
  Action: texts.optional(),
  Condition: z.record(z.string(), z.record(z.string(), texts)).optional(),
});

const policySchema = z.object({ Statement: z.union([statement.transform((one) => [one]), z.array(statement)]) });

type Statement = z.infer<typeof statement>;

/** Whether a statement allows EventBridge to send messages. */
export function allowsEventBridge(policy: string | null): boolean {
  return statementsOf(policy).some(isForEventBridge);
}

/** The rules that the policy allows to send; empty if it names none. */
export function sourceArnsOf(policy: string | null): readonly string[] {
  return statementsOf(policy)
    .filter(isForEventBridge)
    .flatMap(({ Condition = {} }) => Object.values(Condition))
    .flatMap((values) => Object.entries(values))
    .flatMap(([key, values]) => (key.toLowerCase() === 'aws:sourcearn' ? values : []));
}

function statementsOf(policy: string | null): readonly Statement[] {
  if (policy === null) return [];
  try {
    return policySchema.parse(JSON.parse(policy)).Statement;
  } catch {
    return [];
  }
}

function isForEventBridge({ Effect, Principal, Action = [] }: Statement): boolean {
  const isEventBridge =
    Principal === '*' ||
    Principal?.AWS?.includes('*') === true ||
    Principal?.Service?.includes('events.amazonaws.com') === true;
  return Effect === 'Allow' && isEventBridge && Action.some((one) => /^(sqs:(sendmessage|\*)|\*)$/i.test(one));
}
