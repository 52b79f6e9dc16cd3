import type { Log } from '../contracts/log.ts';
import type { Database, Fence } from '../ovsdb-state/index.ts';
import { termProblem } from './northbound.ts';

export interface TermlessFenceOptions {
  /** The right to write among masters with manifests. */
  readonly fence: Fence;
  /** The database itself, with NB_Global among the tables that it monitors. */
  readonly database: Pick<Database, 'rows' | 'onDelta'>;
  readonly installation: string;
  readonly log: Log;
}

/**
 * The right of a master with manifests to write: lost as soon as NB_Global shows that a master with an API server leads
 * its installation, which may have started before and waited for its API server. Lasts as long as the database does.
 */
export function termlessFence({ fence, database, installation, log }: TermlessFenceOptions): Fence {
  const listeners = new Set<() => void>();
  let known = termProblem(database, installation);
  database.onDelta(deltas => {
    if (!deltas.some(({ table }) => table === 'NB_Global')) return;
    const before = known;
    known = termProblem(database, installation);
    if ((known === undefined) === (before === undefined)) return;
    if (known !== undefined) log.error({}, `nothing is written any more: ${known}`);
    for (const listener of [...listeners]) listener();
  });
  return {
    get held() {
      return fence.held && termProblem(database, installation) === undefined;
    },
    get operations() {
      return fence.operations;
    },
    onChange(listener) {
      const stop = fence.onChange(listener);
      listeners.add(listener);
      return () => {
        stop();
        listeners.delete(listener);
      };
    },
  };
}
