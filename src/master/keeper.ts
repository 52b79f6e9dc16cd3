import type { SourceChange, SourceStatus } from '../cluster/source.ts';
import type { Config } from '../config/index.ts';
import type { Log } from '../contracts/log.ts';
import { northboundOwnership } from '../northbound/index.ts';
import { assertLock, type Lock, type Session } from '../ovsdb-client/index.ts';
import { type Fence, fenced, OwnedDatabase, type RowProblem } from '../ovsdb-state/index.ts';
import { objectOfUnit } from '../translate/index.ts';
import { readRecord } from './record.ts';
import type { MasterStatus } from './status-file.ts';
import { type Refused, Translation } from './translation.ts';

/** Keeps the northbound equal to what its source of objects says. */
export class Keeper {
  readonly #translation: Translation;
  readonly #owned: OwnedDatabase;
  #source: SourceStatus | undefined;

  /** `session` has synced once and `lock` is held: the database's record of allocations is read here. */
  constructor(options: {
    readonly config: Config;
    readonly strict?: boolean;
    readonly session: Session;
    readonly lock: Lock;
    readonly log: Log;
  }) {
    const { config, strict = false, session, lock, log } = options;
    this.#translation = new Translation(config, { strict });
    this.#owned = new OwnedDatabase({
      database: fenced(session, lockFence(lock)),
      wish: this.#translation.wish,
      ownership: northboundOwnership(config.installation),
      log,
    });
    this.#translation.restore(readRecord(this.#owned));
  }

  /** Takes a change of the source: the rows follow by themselves. */
  take(change: SourceChange): void {
    const first = this.#source === undefined;
    this.#source = change;
    const delta = this.#translation.apply(change);
    this.#owned.setPrune(change.synced);
    if (first) this.#owned.resync();
    else this.#owned.apply(delta);
  }

  /** Calls the listener whenever {@link status} may read differently. */
  onChange(listener: () => void): () => void {
    return this.#owned.onChange(listener);
  }

  status(): MasterStatus {
    const { inSync, owned, problems } = this.#owned.status();
    return {
      generation: this.#source?.generation ?? 0,
      synced: this.#source !== undefined && inSync,
      pending: this.#translation.pending(),
      rows: owned,
      refused: this.#refused(problems),
      unenforced: this.#translation.unenforced(),
      ignored: this.#translation.ignored(),
    };
  }

  close(): void {
    this.#owned.close();
  }

  /** Everything that was refused, each object and reason once. */
  #refused(problems: readonly RowProblem[]): readonly Refused[] {
    const all = [
      ...(this.#source?.problems ?? []),
      ...this.#translation.refused(),
      ...problems.filter(isRefusal).map(refusalOf),
    ];
    return [...new Map(all.map(refused => [`${refused.object}: ${refused.reason}`, refused])).values()];
  }
}

/** A lock as the right to write: every transaction asserts it (RFC 7047, 5.2.10). */
export function lockFence(lock: Lock): Fence {
  return {
    get held() {
      return lock.held;
    },
    onChange: listener => lock.onChange(listener),
    operations: [assertLock(lock.name)],
  };
}

function isRefusal(problem: RowProblem): boolean {
  return problem.kind !== 'fight';
}

function refusalOf(problem: RowProblem): Refused {
  const object = objectOfUnit(problem.unit) ?? `${problem.table} ${problem.key}`;
  return { object, reason: problem.reason };
}
