import { NotConnectedError, OperationError } from '../ovsdb-client/errors.ts';
import type { Operation, OperationResult } from '../ovsdb-client/types.ts';
import { type DeltaTracker, EVERYTHING } from './delta-tracker.ts';
import type { Limits, Planner } from './planner.ts';
import type { Clock, Database, Log } from './ports.ts';
import type { Problems } from './problems.ts';
import { failureDelay } from './repairs.ts';
import type { TrackedRow, TrackedRows } from './tracked-row.ts';
import type { Batch } from './transaction-builder.ts';

export interface ApplierOptions {
  readonly database: Database;
  readonly planner: Planner;
  readonly tracker: DeltaTracker;
  readonly rows: TrackedRows;
  readonly problems: Problems;
  readonly clock: Clock;
  readonly log: Log;
  /** Operations in front of every transaction, such as the assertion of a lock. */
  readonly guard: () => readonly Operation[];
  /** One of them failed: somebody else is in charge. Nothing is written any more. */
  readonly onLost: (error: Error) => void;
  /** There may be another status to tell. */
  readonly onChange: () => void;
}

/** A transaction that was sent: over when it is answered and the mirror shows it. */
interface Flight {
  readonly batch: Batch;
  readonly guards: number;
  readonly awaited: Set<string>;
  answered: boolean;
}

const FULL: Limits = { cost: 500, groups: 500 };
/** A change that the mirror does not show for so long after the answer was undone by somebody at once. */
const SHOW_WITHIN_MS = 1_000;
const RETRY_MS = 250;

/** The only writer: one transaction under way at a time, what comes meanwhile is gathered for the next one. */
export class Applier {
  readonly #options: ApplierOptions;
  #flight: Flight | undefined;
  #scheduled: (() => void) | undefined;
  #patience: (() => void) | undefined;
  #groups = FULL.groups;
  #closed = false;

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /** Whether nothing is under way and nothing is to be sent now. */
  idle(): boolean {
    return !this.#flight && !this.#scheduled && this.#options.tracker.isEmpty();
  }

  /** Plans and sends on the next turn of the event loop. */
  wake(): void {
    if (this.#closed || this.#flight || this.#scheduled) return;
    this.#scheduled = this.#options.clock.after(0, () => {
      this.#scheduled = undefined;
      this.#send();
    });
  }

  /** Whether a change of this row of the mirror is our own doing. */
  isOurs(uuid: string): boolean {
    return this.#flight?.awaited.has(uuid) ?? false;
  }

  /** The mirror has shown changes of these rows. */
  shown(uuids: Iterable<string>): void {
    if (!this.#flight) return;
    for (const uuid of uuids) this.#flight.awaited.delete(uuid);
    this.#land(this.#flight);
  }

  close(): void {
    this.#closed = true;
    this.#scheduled?.();
    this.#patience?.();
    this.#scheduled = undefined;
    this.#flight = undefined;
  }

  #send(): void {
    const { database, planner, guard } = this.#options;
    if (this.#closed || this.#flight || database.state !== 'ready') return;
    const batch = planner.next({ ...FULL, groups: this.#groups });
    if (!batch) {
      this.#options.onChange();
      return;
    }
    const guards = guard();
    const flight = { batch, guards: guards.length, awaited: new Set(batch.touched), answered: false };
    this.#flight = flight;
    database.transact([...guards, ...batch.operations]).then(
      results => this.#answered(flight, results),
      (error: unknown) => this.#refused(flight, error),
    );
  }

  #answered(flight: Flight, results: readonly OperationResult[]): void {
    if (this.#flight !== flight) return;
    flight.answered = true;
    this.#groups = Math.min(FULL.groups, this.#groups * 2);
    for (const [index, causes] of flight.batch.causes.entries()) {
      if (results[flight.guards + index]?.count !== 0) continue;
      // The row is gone, and the mirror will say so, or has: compare again.
      for (const row of causes) this.#options.tracker.touch(row, EVERYTHING, 'retry');
      const uuid = flight.batch.uuids[index];
      if (uuid !== undefined) flight.awaited.delete(uuid);
    }
    if (flight.awaited.size > 0) {
      this.#patience = this.#options.clock.after(SHOW_WITHIN_MS, () => {
        this.#again(flight.batch.groups);
        flight.awaited.clear();
        this.#land(flight);
      });
    }
    this.#land(flight);
  }

  #land(flight: Flight): void {
    if (!flight.answered || flight.awaited.size > 0 || this.#flight !== flight) return;
    this.#over();
    this.#send();
  }

  #over(): void {
    this.#patience?.();
    this.#patience = undefined;
    this.#flight = undefined;
  }

  #refused(flight: Flight, error: unknown): void {
    if (this.#flight !== flight) return;
    this.#over();
    if (error instanceof OperationError) this.#blame(flight, error);
    else this.#again(flight.batch.groups);
    const isLost = error instanceof NotConnectedError || this.#options.database.state !== 'ready';
    // After a reconnect the session says when to go on.
    if (!isLost && !(error instanceof OperationError)) {
      this.#options.log.warn({ err: error }, 'a transaction failed for an unknown reason; it is tried again');
      this.#scheduled = this.#options.clock.after(RETRY_MS, () => {
        this.#scheduled = undefined;
        this.#send();
      });
    } else {
      this.wake();
    }
    this.#options.onChange();
  }

  /** Finds the row that made a transaction fail; where that is not clear, the next ones are smaller. */
  #blame(flight: Flight, error: OperationError): void {
    const { batch, guards } = flight;
    if (error.operationIndex !== undefined && error.operationIndex < guards) {
      this.close();
      this.#options.onLost(error);
      return;
    }
    const suspects = this.#suspects(flight, error);
    const [first] = suspects;
    if (first && suspects.length === 1) {
      this.#fail(first, error);
      this.#again(batch.groups.filter(row => row !== first));
      return;
    }
    this.#groups = Math.max(1, Math.floor(Math.min(this.#groups, batch.groups.length) / 2));
    this.#again(batch.groups);
  }

  #suspects({ batch, guards }: Flight, error: OperationError): readonly TrackedRow[] {
    if (batch.groups.length === 1) return batch.groups;
    if (error.operationIndex !== undefined) return batch.causes[error.operationIndex - guards] ?? [];
    const groups = new Set(batch.groups);
    const named = new Set<TrackedRow>();
    for (const [uuid] of (error.details ?? '').matchAll(UUID)) {
      for (const row of groups) if (row.uuid === uuid || row.proposed === uuid) named.add(row);
    }
    return [...named];
  }

  #fail(row: TrackedRow, error: OperationError): void {
    const { clock, problems, tracker, log } = this.#options;
    const reason = error.details === undefined ? error.code : `${error.code}: ${error.details}`;
    const attempts = (row.retry?.attempts ?? 0) + 1;
    tracker.touch(row, EVERYTHING, 'retry');
    row.retry = { at: clock.now() + failureDelay(attempts), attempts };
    problems.set(row, { kind: 'failed', reason });
    log.warn({ table: row.table, key: row.key, reason, attempts }, 'the database refuses a row');
  }

  #again(rows: Iterable<TrackedRow>): void {
    for (const row of rows) this.#options.tracker.touch(row, EVERYTHING, 'retry');
  }
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
