import type { Log } from '../contracts/log.ts';
import { Session } from '../ovsdb-client/index.ts';
import { type DatabaseAccess, sessionAccess } from './northbound.ts';

/** The southbound, read for words only: which chassis there are. Whether it is there never holds up the northbound. */
export class Southbound {
  readonly #session: Session;

  /** `wrong` is called where the address leads to servers that have no southbound database. */
  constructor(access: DatabaseAccess, log: Log, wrong: (cause: Error) => void) {
    this.#session = new Session({
      ...sessionAccess(access),
      database: 'OVN_Southbound',
      tables: { Chassis: ['name'] },
    });
    this.#session.onState((state, cause) => {
      if (state === 'failed' && cause) wrong(cause);
    });
    this.#session.onDelta(deltas => {
      for (const { kind, row } of deltas) {
        const chassis = row.columns.name;
        if (kind === 'insert') log.info({ chassis }, 'a chassis is there');
        if (kind === 'delete') log.warn({ chassis }, 'a chassis has gone');
      }
    });
    this.#session.start();
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}
