import { ValueError } from '../ovsdb-client/errors.ts';
import type { WireRow } from '../ovsdb-client/transaction.ts';
import type { Row, Value } from '../ovsdb-client/types.ts';
import { decodeValue, defaultValue, encodeAtom, encodeValue } from '../ovsdb-client/wire.ts';
import type { OwnedColumn, OwnedTable } from './columns.ts';
import { canLive } from './holding.ts';
import { marksFor, marksOf } from './marks.ts';
import type { NaturalNames } from './natural-names.ts';
import { MARKS_COLUMN, type Ownership } from './ownership.ts';
import type { Clock, Log, WishRow } from './ports.ts';
import type { Problem, TrackedRow, TrackedRows } from './tracked-row.ts';
import { encodeDesired, encodePairs, equalsWire, normalize, type Resolve } from './value.ts';

/** What planning looks at. */
export interface PlanView {
  readonly ownership: Ownership;
  readonly tables: ReadonlyMap<string, OwnedTable>;
  readonly rows: TrackedRows;
  readonly names: NaturalNames;
  readonly clock: Clock;
  readonly log: Log;
  /** The mirror. */
  mirror(table: string): ReadonlyMap<string, Row>;
}

/** Whether a row can be written now; if not, why, and which row has to change first. */
export type Verdict =
  | { readonly ready: true }
  | { readonly ready: false; readonly problem: Problem; readonly waitsFor?: TrackedRow };

const READY: Verdict = { ready: true };

/**
 * Decides which rows can be written. A row that is there can; one that is not needs everything that it refers to,
 * and, where its table is no root, every row that is to hold it: a port must not come before the groups that cover it.
 */
export class Readiness {
  readonly #view: PlanView;
  readonly #resolve: Resolve;
  readonly #verdicts = new Map<TrackedRow, Verdict>();
  readonly #columns = new Map<TrackedRow, WireRow>();

  /** `resolve` gives the UUID that a row has or will have. */
  constructor(view: PlanView, resolve: Resolve) {
    this.#view = view;
    this.#resolve = resolve;
  }

  /** Verdicts hold within one plan. */
  reset(): void {
    this.#verdicts.clear();
    this.#columns.clear();
  }

  /** The columns of a new row that was found ready, in wire form. */
  columnsOf(row: TrackedRow): WireRow {
    return this.#columns.get(row) ?? newColumns(this.#view, row, this.#resolve);
  }

  of(row: TrackedRow): Verdict {
    const known = this.#verdicts.get(row);
    if (known) return known;
    // Two rows that need each other come in one transaction: while one is looked at it counts as ready.
    this.#verdicts.set(row, READY);
    const verdict = this.#judge(row);
    this.#verdicts.set(row, verdict);
    return verdict;
  }

  #judge(row: TrackedRow): Verdict {
    if (!row.desired) return unready('blocked', `${row.table} "${row.key}" is not declared`);
    if (row.uuid !== undefined || row.sent) return READY;
    if (row.problem?.kind === 'failed' && row.retry && row.retry.at > this.#view.clock.now()) {
      return { ready: false, problem: row.problem };
    }
    return this.#checkColumns(row) ?? this.#checkName(row) ?? this.#checkNeeds(row) ?? READY;
  }

  #checkColumns(row: TrackedRow): Verdict | undefined {
    try {
      this.#columns.set(row, newColumns(this.#view, row, this.#resolve));
      return undefined;
    } catch (error) {
      if (error instanceof ValueError) return unready('failed', error.message);
      throw error;
    }
  }

  #checkName(row: TrackedRow): Verdict | undefined {
    const column = this.#view.tables.get(row.table)?.naturalKey;
    const name = column === undefined ? undefined : row.desired?.columns[column];
    const uuid = typeof name === 'string' ? this.#view.names.foreign(row.table, name) : undefined;
    const other = uuid === undefined ? undefined : this.#view.mirror(row.table).get(uuid);
    if (!other) return undefined;
    const { installation } = marksOf(other);
    const owner = installation === undefined ? 'is not ours' : `belongs to installation "${installation}"`;
    return unready(
      'conflict',
      `${row.table} "${name}" is there already and ${owner} (uuid ${uuid}); rename or remove one of the two`,
    );
  }

  #checkNeeds(row: TrackedRow): Verdict | undefined {
    for (const target of row.references) {
      const verdict = this.of(target);
      if (!verdict.ready) return waiting(target, verdict.problem);
    }
    if (!canLive(this.#view.tables, row)) return unready('blocked', homeless(row));
    if (this.#view.tables.get(row.table)?.isRoot) return undefined;
    for (const { row: parent } of row.links) {
      const verdict = this.of(parent);
      if (!verdict.ready) return waiting(parent, verdict.problem);
    }
    return undefined;
  }
}

/** What to say of a row that no other one holds, though it cannot live by itself. */
export function homeless(row: TrackedRow): string {
  return `no row holds it, and ${row.table} rows cannot be on their own`;
}

/** The problem of a row that needs another one. */
export function waiting(row: TrackedRow, { reason }: Problem): Verdict & { readonly ready: false } {
  // Of a chain of rows only the last reason tells what to do.
  const cause = reason.startsWith('needs ') ? reason : `needs ${row.table} "${row.key}": ${reason}`;
  return { ready: false, problem: { kind: 'blocked', reason: cause }, waitsFor: row };
}

function unready(kind: Problem['kind'], reason: string): Verdict {
  return { ready: false, problem: { kind, reason } };
}

/**
 * The value that each column which we own should have, apart from sets of references. For a map: our keys only.
 * Throws {@link ValueError} with the column's name where it cannot be.
 */
export function wantedValue(view: PlanView, row: TrackedRow, column: OwnedColumn, resolve: Resolve): Value {
  const { desired } = row;
  return named(column, () =>
    column.name === MARKS_COLUMN && desired
      ? decodeValue(column.type, encodeMarked(view, row, desired, column, resolve))
      : withAtoms(row, column, normalize(desired?.columns[column.name], column.type, resolve)),
  );
}

/** The same in wire form, of a row that the wish has. */
function encodeWanted(
  view: PlanView,
  row: TrackedRow,
  desired: WishRow,
  column: OwnedColumn,
  resolve: Resolve,
): unknown {
  const value = desired.columns[column.name];
  return named(column, () => {
    if (column.name === MARKS_COLUMN) return encodeMarked(view, row, desired, column, resolve);
    const hasOwnOnly = value !== undefined && row.atoms?.has(column.name) !== true;
    if (hasOwnOnly) return encodeDesired(value, column.type, resolve);
    return encodeValue(column.type, withAtoms(row, column, normalize(value, column.type, resolve)));
  });
}

/** The column that has our marks beside what the wish says. */
function encodeMarked(
  { ownership }: PlanView,
  { key }: TrackedRow,
  { columns, unit }: WishRow,
  { name, type }: OwnedColumn,
  resolve: Resolve,
): unknown {
  const pairs = encodePairs(columns[name] ?? {}, type, resolve);
  for (const mark of marksFor(ownership.installation, unit, key)) {
    encodeAtom(type.value ?? type.key, mark[1]);
    pairs.push(mark);
  }
  return ['map', pairs];
}

/** Whatever goes wrong with a column names it. */
function named<T>({ name }: OwnedColumn, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ValueError) throw new ValueError(`${name}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** An exclusive set also has the elements that other units add. */
function withAtoms(row: TrackedRow, { name, type }: OwnedColumn, value: Value): Value {
  const atoms = row.atoms?.get(name);
  if (!atoms || !(value instanceof Set)) return value;
  const own = row.desired?.columns[name] === undefined ? [] : value;
  const all = new Set([...own, ...atoms.keys()]);
  return all.size < type.min ? value : all;
}

/**
 * All columns of a row that is to be inserted, in wire form, apart from sets of references. Throws {@link ValueError} for
 * a column that cannot be written.
 */
function newColumns(view: PlanView, row: TrackedRow, resolve: Resolve): WireRow {
  checkOwned(view, row);
  const columns: Record<string, unknown> = {};
  const { desired } = row;
  for (const column of view.tables.get(row.table)?.written ?? []) {
    if (!desired || !isGiven(row, column)) continue;
    const value = encodeWanted(view, row, desired, column, resolve);
    if (!equalsWire(defaultValue(column.type), value)) columns[column.name] = value;
  }
  return columns;
}

/** Whether the wish says something of a column. Most columns of most rows have their default. */
function isGiven(row: TrackedRow, { name }: OwnedColumn): boolean {
  return name === MARKS_COLUMN || row.desired?.columns[name] !== undefined || row.atoms?.has(name) === true;
}

/** Throws {@link ValueError} where a row has, or is to have, a column that is not ours or not in the schema. */
export function checkOwned(view: PlanView, row: TrackedRow): void {
  const table = view.tables.get(row.table);
  if (!table) throw new ValueError(`the database's schema has no table ${row.table}`);
  for (const name in row.desired?.columns) checkColumn(view, table, name);
  for (const name of row.members?.keys() ?? []) checkColumn(view, table, name);
}

function checkColumn(view: PlanView, table: OwnedTable, name: string): void {
  const column = table.columns.get(name);
  if (column && column.ownership.class !== 'status') return;
  const claimed = view.ownership.tables[table.name]?.columns[name];
  throw new ValueError(
    claimed && !column
      ? `the database's schema lacks the column ${table.name}.${name}`
      : `${table.name}.${name} is not ours to write`,
  );
}
