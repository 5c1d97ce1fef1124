/**
 * A failure that a person can fix: its message is one clear sentence that says what to install or
 * set. Shown without a stack trace.
 */
export class StackError extends Error {
  override readonly name = 'StackError';
}

/** The text to show for an error that ended a run. */
export function failureText(error: unknown): string {
  if (error instanceof StackError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
