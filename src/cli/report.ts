import type { Refused } from '../master/translation.ts';
import { ExitError } from './exit.ts';

/** What a single run left out, and why. */
export interface RunSummary {
  readonly refused: readonly Refused[];
  readonly unenforced: readonly string[];
  readonly ignored: Readonly<Record<string, number>>;
  readonly pending: number;
  readonly complete: boolean;
}

/** Refused objects, with unenforced policies among them where `strict` asks for that. */
export function refusedBy(
  summary: Pick<RunSummary, 'refused' | 'unenforced'>,
  strict: boolean,
): readonly Refused[] {
  if (!strict) return summary.refused;
  const policies = summary.unenforced.map(object => ({ object, reason: 'policies are not enforced yet' }));
  return [...summary.refused, ...policies];
}

/** Says on standard error what was left out. Throws ExitError where the run counts as failed. */
export function concludeRun(summary: RunSummary, strict: boolean): void {
  const refused = refusedBy(summary, strict);
  for (const { object, reason } of refused) say(`refused: ${object}: ${reason}`);
  if (!strict)
    for (const object of summary.unenforced) say(`warning: ${object}: policies are not enforced yet`);
  for (const [kind, count] of Object.entries(summary.ignored)) say(`ignored: ${count} of kind ${kind}`);
  if (summary.pending > 0) say(`pending: ${summary.pending} pods without a node`);
  if (!summary.complete) throw new ExitError(1, 'not every manifest could be read, so nothing was deleted');
  if (strict && refused.length > 0) throw new ExitError(1, `${refused.length} objects were refused`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
