import { NotConnectedError, OperationError } from '../ovsdb-client/errors.ts';
import { assertRows, byUuid, comment } from '../ovsdb-client/transaction.ts';
import type { Operation, OperationResult } from '../ovsdb-client/types.ts';
import { batchComment } from './batch-comment.ts';
import { type DeltaTracker, EVERYTHING } from './delta-tracker.ts';
import type { Limits, Planner } from './planner.ts';
import type { Clock, Database, Log } from './ports.ts';
import type { Problems } from './problems.ts';
import { failureDelay } from './repairs.ts';
import type { TrackedRow } from './tracked-row.ts';
import type { Batch } from './transaction-builder.ts';

export interface ApplierOptions {
  readonly database: Database;
  readonly installation: string;
  readonly planner: Planner;
  readonly tracker: DeltaTracker;
  readonly problems: Problems;
  readonly clock: Clock;
  readonly log: Log;
  /** There may be another status to tell. */
  readonly onChange: () => void;
}

/** A transaction that was sent: over when it is answered and the mirror shows it. */
interface Flight {
  readonly batch: Batch;
  readonly awaited: Set<string>;
  /** Rows that may have come to nothing, as another row was gone that they need. */
  readonly doubtful: Set<TrackedRow>;
  answered: boolean;
  /** Cancels the end of our patience with the mirror. */
  patience: (() => void) | undefined;
}

/**
 * Some 250 rows with a membership each. What the server tells of them fits into its socket's buffer: it can go on with the
 * next transaction while we have not read that yet. Larger transactions hold up everybody else, too.
 */
const FULL: Limits = { cost: 500, groups: 250 };
/**
 * How many transactions are under way while much is to be added: the server works on one while we plan the next. At any
 * other time it is one, so that what comes meanwhile is gathered.
 */
const DEPTH = 2;
/** A change that the mirror does not show for so long after the answer was undone by somebody at once. */
const SHOW_WITHIN_MS = 500;
const RETRY_MS = 50;
const LONGEST_RETRY_MS = 5_000;
/** Somebody was quicker: a `wait` does not hold (RFC 7047, 5.2.6), or a lost answer was a good one. The mirror will tell. */
const OVERTAKEN: ReadonlySet<string> = new Set(['timed out', 'duplicate uuid']);
const OVERTAKEN_TIMES = 3;
/** What a server says that cannot take any transaction now (RFC 7047, 3.1 and 4.1.3; ovsdb(7) of clusters). */
const UNABLE: ReadonlySet<string> = new Set([
  'I/O error',
  'resources exhausted',
  'cluster error',
  'canceled',
]);

/** The only writer. */
export class Applier {
  readonly #options: ApplierOptions;
  /** What is under way, oldest first. */
  #flights: readonly Flight[] = [];
  /** What comes next has to see what is under way in the mirror first. */
  #mustLand = false;
  #scheduled: (() => void) | undefined;
  #groups = FULL.groups;
  /** How often we had to pause since the last success. */
  #setbacks = 0;
  #closed = false;

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /** Whether nothing is under way and nothing is to be sent now. */
  idle(): boolean {
    return this.#flights.length === 0 && !this.#scheduled && this.#options.tracker.isEmpty();
  }

  /** Plans and sends on the next turn of the event loop. */
  wake(): void {
    if (this.#closed || this.#scheduled || !this.#maySend()) return;
    this.#scheduled = this.#options.clock.after(0, () => {
      this.#scheduled = undefined;
      this.#send();
    });
  }

  /** The mirror has shown changes of these rows. */
  shown(uuids: readonly string[]): void {
    for (const flight of this.#flights) {
      for (const uuid of uuids) flight.awaited.delete(uuid);
      this.#land(flight);
    }
  }

  close(): void {
    this.#closed = true;
    this.#scheduled?.();
    this.#scheduled = undefined;
    for (const flight of this.#flights) flight.patience?.();
    this.#flights = [];
  }

  /** A transaction may follow one that is under way only where both do nothing but add rows, and the first is full. */
  #maySend(): boolean {
    const last = this.#flights.at(-1)?.batch;
    if (!last) return true;
    const isFull = last.groups.length >= FULL.groups;
    return this.#flights.length < DEPTH && isFull && last.growth !== undefined && !this.#mustLand;
  }

  #send(): void {
    const { database, planner } = this.#options;
    if (this.#closed || !this.#maySend() || database.state !== 'ready') return;
    const batch = planner.next({ ...FULL, groups: this.#groups });
    if (!batch) {
      this.#options.onChange();
    } else if (this.#flights.length > 0 && !batch.growth) {
      this.#mustLand = true;
      this.#again(batch.rows);
    } else {
      this.#launch(batch);
      this.wake();
    }
  }

  #launch(batch: Batch): void {
    const { database, installation, planner } = this.#options;
    const operations = [
      ...batch.operations,
      ...this.#afterLast(),
      comment(batchComment(installation, batch.groups)),
    ];
    const flight: Flight = {
      batch,
      awaited: new Set(batch.touched),
      doubtful: new Set(),
      answered: false,
      patience: undefined,
    };
    this.#flights = [...this.#flights, flight];
    planner.sent(batch);
    database.transact(operations).then(
      results => this.#answered(flight, results),
      (error: unknown) => this.#refused(flight, error),
    );
  }

  /** Makes a transaction fail whole where the one before it did: nothing may come before what must precede it. */
  #afterLast(): readonly Operation[] {
    const growth = this.#flights.at(-1)?.batch.growth;
    return growth ? [assertRows(growth.table, byUuid(growth.uuid), [], [{}])] : [];
  }

  #answered(flight: Flight, results: readonly OperationResult[]): void {
    if (!this.#flights.includes(flight)) return;
    flight.answered = true;
    this.#setbacks = 0;
    this.#groups = Math.min(FULL.groups, this.#groups * 2);
    // RFC 7047, 5.2.3: a row that is gone is no error. The mirror tells of it, and so it is planned anew.
    for (const [index, causes] of flight.batch.causes.entries()) {
      if (results[index]?.count === 0) for (const row of causes) flight.doubtful.add(row);
    }
    if (flight.awaited.size > 0) {
      flight.patience = this.#options.clock.after(SHOW_WITHIN_MS, () => {
        this.#giveUpWaiting(flight);
      });
    }
    this.#land(flight);
  }

  #giveUpWaiting(flight: Flight): void {
    // A UUID that was in the database for a moment must not be there a second time.
    for (const row of flight.doubtful) if (row.uuid === undefined) row.proposed = undefined;
    this.#again(flight.batch.rows);
    flight.awaited.clear();
    this.#land(flight);
  }

  #land(flight: Flight): void {
    if (!flight.answered || flight.awaited.size > 0 || !this.#flights.includes(flight)) return;
    this.#over(flight);
    this.#send();
  }

  #over(flight: Flight): void {
    flight.patience?.();
    this.#flights = this.#flights.filter(other => other !== flight);
    this.#mustLand = false;
    this.#options.planner.landed(flight.batch);
  }

  #refused(flight: Flight, error: unknown): void {
    if (!this.#flights.includes(flight)) return;
    this.#over(flight);
    if (this.#isJudgement(error)) {
      this.#blame(flight, error);
      this.wake();
    } else {
      this.#again(flight.batch.rows);
      // When the connection is lost the session says when to go on.
      if (this.#options.database.state === 'ready') this.#pause(error);
    }
    this.#options.onChange();
  }

  /** Whether the server has judged our rows. Where it takes us for overtaken again and again, the mirror shows no reason. */
  #isJudgement(error: unknown): error is OperationError {
    if (!(error instanceof OperationError) || UNABLE.has(error.code)) return false;
    return !OVERTAKEN.has(error.code) || this.#setbacks >= OVERTAKEN_TIMES;
  }

  /** Goes on a little later, and ever more slowly until the next success. */
  #pause(error: unknown): void {
    const { clock, log } = this.#options;
    const isOvertaken = error instanceof OperationError && OVERTAKEN.has(error.code);
    if (!isOvertaken && !(error instanceof NotConnectedError)) {
      log.warn({ error }, 'the database cannot take a transaction; it is tried again');
    }
    // Rows that were marked again have called for the next turn already.
    this.#scheduled?.();
    this.#scheduled = clock.after(Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** this.#setbacks), () => {
      this.#scheduled = undefined;
      this.#send();
    });
    this.#setbacks++;
  }

  /** Finds the row that made a transaction fail; where that is not clear, the next ones are smaller. */
  #blame(flight: Flight, error: OperationError): void {
    const { batch } = flight;
    const suspects = this.#suspects(flight, error);
    const [first] = suspects;
    if (first && suspects.length === 1) {
      this.#fail(first, error);
      this.#again(batch.rows.filter(row => row !== first));
      return;
    }
    this.#groups = Math.max(1, Math.floor(Math.min(this.#groups, batch.groups.length) / 2));
    this.#again(batch.rows);
  }

  #suspects({ batch }: Flight, error: OperationError): readonly TrackedRow[] {
    if (batch.groups.length === 1) return batch.groups;
    if (error.operationIndex !== undefined) return batch.causes[error.operationIndex] ?? [];
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
