/**
 * Who owns what in a database that we share with others, column by column.
 *
 * `exclusive`: ours entirely in rows of ours; what is not desired has the column's default.
 * `members`: a set of references; our rows in it come and go with the wish, those of others stay.
 * `keys`: a map; the listed keys and those of the wish are ours, all others stay.
 * `status`: written by somebody else; never compared, never written.
 * A column that is not listed is never touched.
 */
export type ColumnOwnership =
  | { readonly class: 'exclusive' | 'members' | 'status' }
  | { readonly class: 'keys'; readonly keys: readonly string[] };

export interface TableOwnership {
  /** The column by which people and other programs find a row: nobody else's row may have our value in it. */
  readonly naturalKey?: string;
  /**
   * The server is to refuse a new row of ours whose natural key somebody took at the same instant. Only for tables
   * without a unique index on it, and with few rows: the server looks at all of them.
   */
  readonly assertsName?: boolean;
  readonly columns: Readonly<Record<string, ColumnOwnership>>;
}

export interface Ownership {
  /** Tells our rows from those of another instance of this program in the same database. */
  readonly installation: string;
  /** Tables in the order in which their rows are written; they are removed in the reverse order. */
  readonly phases: readonly (readonly string[])[];
  readonly tables: Readonly<Record<string, TableOwnership>>;
}

export const exclusive: ColumnOwnership = { class: 'exclusive' };
export const members: ColumnOwnership = { class: 'members' };
export const status: ColumnOwnership = { class: 'status' };

/** A map column of which the listed keys are ours. */
export function keys(...names: readonly string[]): ColumnOwnership {
  return { class: 'keys', keys: names };
}

/** The column in which every row of ours carries our marks. */
export const MARKS_COLUMN = 'external_ids';
export const INSTALLATION_MARK = 'kube-northbound/installation';
export const UNIT_MARK = 'kube-northbound/unit';
export const KEY_MARK = 'kube-northbound/key';
