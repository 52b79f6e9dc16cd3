import type { SourceChange, SourceStatus } from '../cluster/source.ts';
import type { Config } from '../config/index.ts';
import type { Log } from '../contracts/log.ts';
import { northboundOwnership } from '../northbound/index.ts';
import { assertLock, type Lock, type Session } from '../ovsdb-client/index.ts';
import { type Fence, fenced, OwnedDatabase, type RowProblem } from '../ovsdb-state/index.ts';
import { objectOfUnit } from '../translate/index.ts';
import { publish } from './diagnostics.ts';
import type { Keeping } from './keeping.ts';
import { Programming } from './programming.ts';
import { Reconciler } from './reconciler.ts';
import { readRecord } from './record.ts';
import type { MasterStatus } from './status-file.ts';
import { type Surplus, surplusOf } from './surplus.ts';
import { type ObjectProblem, type Refused, Translation } from './translation.ts';
import type { ObjectNews } from './write-back.ts';

export interface KeeperOptions {
  readonly config: Config;
  readonly strict?: boolean;
  /** Has synced once. */
  readonly session: Session;
  /** The right to write. */
  readonly fence: Fence;
  /** Whether objects remember what they were given; nothing is given away then before {@link Keeper.lead}. */
  readonly objectsRemember?: boolean;
  /** Called once, when the first translation is done. */
  readonly onSettled?: () => void;
  readonly log: Log;
}

/** Keeps the northbound equal to what its source of objects says. */
export class Keeper implements Keeping {
  readonly #programming: Programming;
  readonly #translation: Translation;
  readonly #owned: OwnedDatabase;
  readonly #reconciler: Reconciler;
  #source: SourceStatus | undefined;
  #mayPrune: boolean;

  /** Where objects remember nothing the fence must be held: the database's record of allocations is read here. */
  constructor(options: KeeperOptions) {
    const { config, strict = false, session, fence, objectsRemember = false, onSettled, log } = options;
    this.#programming = new Programming(session);
    this.#translation = new Translation(config, { strict, objectsRemember, pods: this.#programming });
    this.#owned = new OwnedDatabase({
      database: fenced(session, fence),
      wish: this.#translation.wish,
      ownership: northboundOwnership(config.installation),
      log,
    });
    this.#owned.onChange(() => publish({ kind: 'row-queue', depth: this.#owned.waiting }));
    this.#mayPrune = !objectsRemember;
    if (!objectsRemember) this.#translation.restore(readRecord(this.#owned));
    this.#reconciler = new Reconciler(this.#translation, this.#owned, onSettled);
  }

  /** Takes a change of the source: the rows follow by themselves. */
  take(change: SourceChange): void {
    const started = performance.now();
    this.#source = change;
    this.#translation.take(change);
    this.#follow();
    if (change.synced) this.#programming.started();
    const objects = change.put.length + change.deleted.length;
    publish({ kind: 'reconciled', objects, seconds: (performance.now() - started) / 1000 });
  }

  /**
   * Where objects remember: this master writes from now on. What the database has of earlier leaders is taken over, and
   * then objects are given what they lack.
   */
  lead(): void {
    this.#translation.restore(readRecord(this.#owned));
    this.#translation.startAllocating();
    this.#follow();
  }

  /** Where objects remember: another master writes from now on. */
  standBy(): void {
    this.#translation.stopAllocating();
    this.#follow();
  }

  /** Where objects remember: rows that nobody wants may go. Until this is called they stay. */
  allowPrune(): void {
    this.#mayPrune = true;
    this.#follow();
  }

  /** What a plan for the database as it is would delete, where the first translation is done. */
  surplus(): Surplus {
    return surplusOf(this.#owned, this.#translation.wish);
  }

  /** What is to be written to objects, and what is wrong with them. */
  get objects(): ObjectNews {
    return {
      takeWrites: () => this.#translation.takeWrites(),
      takeProblems: () => [...this.#translation.takeProblems(), ...this.#rowProblems()],
    };
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

  isDone(): boolean {
    return this.status().synced;
  }

  trouble(): string | undefined {
    return undefined;
  }

  async close(): Promise<void> {
    this.#programming.close();
    this.#reconciler.close();
    this.#owned.close();
  }

  /** Rows of Nodes and Pods that the database does not take. */
  #rowProblems(): readonly ObjectProblem[] {
    const problems = this.#owned.status().problems.filter(isRefusal);
    return problems.flatMap(({ unit, reason }) => this.#translation.problemOf(unit, reason) ?? []);
  }

  #follow(): void {
    if (this.#source) this.#reconciler.follow(this.#source.synced && this.#mayPrune);
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
