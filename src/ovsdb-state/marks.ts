import type { Row, Value } from '../ovsdb-client/types.ts';
import { INSTALLATION_MARK, KEY_MARK, MARKS_COLUMN, UNIT_MARK } from './ownership.ts';
import type { WishRow } from './ports.ts';

/** What a row of the mirror says of its owner. */
export interface Marks {
  readonly installation: string | undefined;
  readonly unit: string | undefined;
  readonly key: string | undefined;
}

export function marksOf(row: Row): Marks {
  const map = row.columns[MARKS_COLUMN];
  return {
    installation: textOf(map, INSTALLATION_MARK),
    unit: textOf(map, UNIT_MARK),
    key: textOf(map, KEY_MARK),
  };
}

function textOf(map: Value, name: string): string | undefined {
  const value = map instanceof Map ? map.get(name) : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** The marks that a row of ours carries. */
export function marksFor(
  installation: string,
  unit: WishRow['unit'],
  key: string,
): readonly (readonly [string, string])[] {
  return [
    [INSTALLATION_MARK, installation],
    [UNIT_MARK, formatUnit(unit)],
    [KEY_MARK, key],
  ];
}

export function formatUnit({ name, key }: WishRow['unit']): string {
  return key === '' ? name : `${name}/${key}`;
}
