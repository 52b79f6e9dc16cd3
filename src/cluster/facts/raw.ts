/** Careful reading of raw JSON: manifests and API objects are input from outside, whatever their types promise. */

export type Raw = Readonly<Record<string, unknown>>;

/** A field of an object that is not what Kubernetes' API says it is. The message names the field. */
export class FieldError extends Error {
  override readonly name = 'FieldError';
}

/** The object at `path` below `raw`; empty where it is absent. Throws {@link FieldError} where it is something else. */
export function objectAt(raw: Raw, ...path: readonly string[]): Raw {
  let here: Raw = raw;
  for (const [depth, step] of path.entries()) {
    const next = here[step];
    if (next === undefined || next === null) return {};
    if (!isRaw(next)) throw new FieldError(`${path.slice(0, depth + 1).join('.')} must be an object`);
    here = next;
  }
  return here;
}

/** The text of `field`, or undefined where it is absent or empty. `where` is the field's path in messages. */
export function textOf(object: Raw, field: string, where: string): string | undefined {
  const value = object[field];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw new FieldError(`${where}.${field} must be a string`);
  if (/[\0\p{Cs}]/u.test(value))
    throw new FieldError(`${where}.${field} has a NUL or half of a surrogate pair: remove it`);
  return value;
}

/** The truth value of `field`; false where it is absent. */
export function flagOf(object: Raw, field: string, where: string): boolean {
  const value = object[field] ?? false;
  if (typeof value === 'boolean') return value;
  throw new FieldError(`${where}.${field} must be true or false`);
}

/** The list at `field`; empty where it is absent. */
export function listOf(object: Raw, field: string, where: string): readonly unknown[] {
  const value = object[field] ?? [];
  if (Array.isArray(value)) return value;
  throw new FieldError(`${where}.${field} must be a list`);
}

export function isRaw(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What `part` reads; where that fails, `otherwise`, and why it failed goes to `problems`. */
export function attempt<T>(problems: string[], part: () => T, otherwise: T): T {
  try {
    return part();
  } catch (error) {
    problems.push(messageOf(error));
    return otherwise;
  }
}
