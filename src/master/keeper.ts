import type { SourceChange, SourceStatus } from '../cluster/source.ts';
import type { Config } from '../config/index.ts';
import type { Log } from '../contracts/log.ts';
import { northboundOwnership } from '../northbound/index.ts';
import { assertLock, type Lock, type Session } from '../ovsdb-client/index.ts';
import { type Fence, fenced, OwnedDatabase, type RowProblem } from '../ovsdb-state/index.ts';
import { objectOfUnit } from '../translate/index.ts';
import { publish } from './diagnostics.ts';
import { Programming } from './programming.ts';
import { Reconciler } from './reconciler.ts';
import { readRecord } from './record.ts';
import type { MasterStatus } from './status-file.ts';
import { type Refused, Translation } from './translation.ts';

/** Keeps the northbound equal to what its source of objects says. */
export class Keeper {
  readonly #programming: Programming;
  readonly #translation: Translation;
  readonly #owned: OwnedDatabase;
  readonly #reconciler: Reconciler;
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
    this.#programming = new Programming(session);
    this.#translation = new Translation(config, { strict, pods: this.#programming });
    this.#owned = new OwnedDatabase({
      database: fenced(session, lockFence(lock)),
      wish: this.#translation.wish,
      ownership: northboundOwnership(config.installation),
      log,
    });
    this.#translation.restore(readRecord(this.#owned));
    this.#reconciler = new Reconciler(this.#translation, this.#owned);
  }

  /** Takes a change of the source: the rows follow by themselves. */
  take(change: SourceChange): void {
    const started = performance.now();
    this.#source = change;
    this.#translation.take(change);
    this.#reconciler.follow(change.synced);
    if (change.synced) this.#programming.started();
    const objects = change.put.length + change.deleted.length;
    publish({ kind: 'reconciled', objects, seconds: (performance.now() - started) / 1000 });
  }

  /** Calls the listener whenever {@link status} may read differently. */
  onChange(listener: () => void): () => void {
    return this.#owned.onChange(listener);
  }

  status(): MasterStatus {
    const { inSync, owned, problems } = this.#owned.status();
    return {
      generation: this.#source?.generation ?? 0,
      synced: this.#reconciler.isSettled && inSync,
      pending: this.#translation.pending(),
      rows: owned,
      refused: this.#refused(problems),
      unenforced: this.#translation.unenforced(),
      ignored: this.#translation.ignored(),
    };
  }

  close(): void {
    this.#programming.close();
    this.#reconciler.close();
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
