import { formatUnit } from './marks.ts';
import type { Problem, TrackedRow } from './tracked-row.ts';

/** A row that is not as the wish has it, for people. */
export interface RowProblem extends Problem {
  readonly table: string;
  readonly key: string;
  /** The unit that wants the row; empty where nobody does. */
  readonly unit: string;
}

/** The rows that have a problem. */
export class Problems {
  readonly #rows = new Set<TrackedRow>();

  /** Sets or ends a row's problem. */
  set(row: TrackedRow, problem: Problem | undefined): void {
    row.problem = problem;
    this.check(row);
  }

  /** To be called when a fight over one of the row's keys begins or ends. */
  check(row: TrackedRow): void {
    if (row.problem || fightsOf(row).length > 0) this.#rows.add(row);
    else this.#rows.delete(row);
  }

  /** All problems, by table and key. */
  list(): readonly RowProblem[] {
    return [...this.#rows]
      .flatMap(row => {
        const unit = row.desired ? formatUnit(row.desired.unit) : '';
        const problems = [...(row.problem ? [row.problem] : []), ...fightsOf(row)];
        return problems.map(problem => ({ table: row.table, key: row.key, unit, ...problem }));
      })
      .sort((a, b) => compare(a.table, b.table) || compare(a.key, b.key) || compare(a.reason, b.reason));
  }
}

function fightsOf(row: TrackedRow): readonly Problem[] {
  const problems: Problem[] = [];
  for (const [place, { letGo }] of row.fights ?? []) {
    if (!letGo) continue;
    const show = (value: unknown) => (value === undefined ? 'nothing' : JSON.stringify(value));
    const [column, key] = place.split('\0');
    problems.push({
      kind: 'fight',
      reason:
        `${column}:${key} is written by somebody else too: it is ${show(letGo.found)} and should be ` +
        `${show(letGo.wanted)}; it is left alone until that changes. Stop the other writer`,
    });
  }
  return problems;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
