/** What is known of a thing that was thrown: by its fields, as an error of Node need not be an `Error` of ours. */
interface Thrown {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly errors?: unknown;
}

/** The code of a system's or of TLS' error; '' where there is none. */
export function codeOf(cause: unknown): string {
  const { code } = firstOf(cause);
  return typeof code === 'string' ? code : '';
}

/** The message of what was thrown. */
export function saidBy(cause: unknown): string {
  const { message } = firstOf(cause);
  return typeof message === 'string' ? message.trim() : String(cause);
}

/** Where a name has several addresses, Node reports one error for all of them. */
function firstOf(cause: unknown): Thrown {
  if (typeof cause !== 'object' || cause === null) return {};
  const thrown: Thrown = cause;
  return Array.isArray(thrown.errors) && thrown.errors.length > 0 ? firstOf(thrown.errors[0]) : thrown;
}
