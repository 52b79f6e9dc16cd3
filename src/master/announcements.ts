import type { Log } from '../contracts/log.ts';
import type { MasterStatus } from './status-file.ts';
import { NOT_ENFORCED } from './untranslated.ts';

/** Says in the log what deserves a word of its own: once, when it comes up, and again when it comes back. */
export class Announcements {
  readonly #log: Log;
  #said: ReadonlySet<string> = new Set();

  constructor(log: Log) {
    this.#log = log;
  }

  update({ refused, unenforced, ignored }: Pick<MasterStatus, 'refused' | 'unenforced' | 'ignored'>): void {
    const saying = new Set<string>();
    const say = (key: string, speak: () => void): void => {
      if (!this.#said.has(key)) speak();
      saying.add(key);
    };
    for (const { object, reason } of refused)
      say(`${object}: ${reason}`, () => this.#log.warn({ object }, reason));
    for (const object of unenforced)
      say(`${object} has no effect`, () => this.#log.warn({ object }, NOT_ENFORCED));
    for (const [kind, count] of Object.entries(ignored))
      say(`ignored ${kind}`, () => this.#log.info({ kind, count }, 'objects of this kind are ignored'));
    this.#said = saying;
  }
}
