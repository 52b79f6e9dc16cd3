import type { Claim, Claims } from './claims.ts';
import type { UnitId } from './types.ts';

/** A unit's declaration of a row. */
export interface RowOutput<U extends UnitId, C> extends Claim {
  readonly unit: U;
  readonly table: string;
  readonly key: string;
  readonly columns: C;
}

/** A unit's contribution to a set column. */
export interface MemberOutput<U extends UnitId, M> extends Claim {
  readonly unit: U;
  readonly table: string;
  readonly key: string;
  readonly column: string;
  readonly id: string;
  readonly value: M;
}

/** The members of a column by their id. */
export type Column<U extends UnitId, M> = Map<string, Claims<MemberOutput<U, M>>>;

/** A row that somebody declares, or to which somebody adds members. */
export interface RowEntry<U extends UnitId, C, M> {
  readonly table: string;
  readonly key: string;
  declarations: Claims<RowOutput<U, C>> | undefined;
  /** Made with the first member: most rows have none. */
  columns: Map<string, Column<U, M>> | undefined;
}
