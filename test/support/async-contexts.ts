/**
 * A context manager for OpenTelemetry's API that keeps the context across awaits, as a service's
 * SDK does, and spans that consist only of ids.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type Context, type ContextManager, context, ROOT_CONTEXT, trace } from '@opentelemetry/api';

class AsyncContexts implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();

  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT;
  }

  with<Args extends unknown[], Run extends (...args: Args) => ReturnType<Run>>(
    active: Context,
    run: Run,
    thisArg?: ThisParameterType<Run>,
    ...args: Args
  ): ReturnType<Run> {
    return this.#storage.run(active, () => run.apply(thisArg, args));
  }

  bind<Target>(active: Context, target: Target): Target {
    if (typeof target !== 'function') return target;
    return ((...args: unknown[]) => this.with(active, () => target(...args))) as Target;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    this.#storage.disable();
    return this;
  }
}

/** Makes the active span known from here on. Returns a function that stops it. */
export function registerContexts(): () => void {
  context.setGlobalContextManager(new AsyncContexts());
  return () => context.disable();
}

/** Runs a function with an active span that consists only of ids. */
export function withSpan<Result>(traceId: string, spanId: string, traceFlags: number, run: () => Result): Result {
  return context.with(trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags }), run);
}
