import type { Refused } from '../master/translation.ts';
import { NOT_ENFORCED } from '../master/untranslated.ts';
import { ExitError } from './exit.ts';

/** What a single run left out, and why. */
export interface RunSummary {
  readonly refused: readonly Refused[];
  readonly unenforced: readonly string[];
  readonly ignored: Readonly<Record<string, number>>;
  readonly pending: number;
  readonly complete: boolean;
}

/** Says on standard error what was left out. Throws ExitError where the run counts as failed. */
export function concludeRun(summary: RunSummary, strict: boolean): void {
  const { refused } = summary;
  for (const { object, reason } of refused) say(`refused: ${object}: ${reason}`);
  for (const object of summary.unenforced) say(`warning: ${object}: ${NOT_ENFORCED}`);
  for (const [kind, count] of Object.entries(summary.ignored)) say(`ignored: ${count} of kind ${kind}`);
  if (summary.pending > 0) say(`pending: ${summary.pending} pods without a node`);
  if (!summary.complete)
    throw new ExitError(1, 'not every manifest could be read: until they can be, nothing is deleted');
  if (strict && refused.length > 0) throw new ExitError(1, `${refused.length} objects were refused`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
