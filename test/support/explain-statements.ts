/** Reports how Neo4j executes the statements of an operation: each is also sent with `EXPLAIN`. */
import type { Driver, Plan, Session } from 'neo4j-driver';

/** The plan of one statement: its operators, and what they read. */
export interface StatementPlan {
  readonly operators: readonly string[];
  readonly details: readonly string[];
}

/** Runs the operation with a driver that explains every statement it sends, in their order. */
export async function explainStatements(
  driver: Driver,
  run: (driver: Driver) => Promise<unknown>,
): Promise<readonly StatementPlan[]> {
  const sent: (readonly [statement: string, parameters: unknown])[] = [];
  const watch = <Target extends object>(target: Target, method: string): Target =>
    new Proxy(target, {
      get: (of, name) => {
        const value = Reflect.get(of, name) as unknown;
        if (typeof value !== 'function') return value;
        return (...args: readonly unknown[]) => {
          if (name === method) sent.push([String(args[0]), args[1]]);
          const answer: unknown = value.apply(of, args);
          return name === 'session' ? watch(answer as Session, 'run') : answer;
        };
      },
    });
  await run(watch(driver, 'executeQuery'));
  const plans: StatementPlan[] = [];
  for (const [statement, parameters] of sent) {
    const session = driver.session();
    const { summary } = await session.run(`EXPLAIN ${statement}`, parameters);
    await session.close();
    plans.push({
      operators: allOf(summary.plan as Plan).map(({ operatorType }) => operatorType.replace(/@.*/, '')),
      details: allOf(summary.plan as Plan).map((plan) => String(plan.arguments.Details ?? '')),
    });
  }
  return plans;
}

function allOf(plan: Plan): readonly Plan[] {
  return [plan, ...plan.children.flatMap(allOf)];
}
