import { describe, it } from '@jest/globals';

/**
 * `describe` where the machine can run the group, else one skipped test whose name ends with the reason, so that the
 * summary of `npm test` says what was left out and why.
 *
 *     describeIf(isRoot, 'needs root')('sandbox', () => { … });
 */
export function describeIf(condition: boolean, reason: string): (name: string, body: () => void) => void {
  return condition ? describe : name => skipped(name, reason);
}

/** `it` where the machine can run the test, else a skipped test whose name ends with the reason. */
export function itIf(
  condition: boolean,
  reason: string,
): (name: string, body: () => void | Promise<void>, timeoutMs?: number) => void {
  return condition ? it : name => skipped(name, reason);
}

/** The one place that skips a test; a test of the project's words refuses all others. */
function skipped(name: string, reason: string): void {
  it.skip(`${name} (skipped: ${reason})`, () => undefined);
}
