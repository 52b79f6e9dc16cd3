import type { UnitId } from './types.ts';

/** Prints a unit's id: `name`, or `name/key` where the unit is one of many. */
export function formatUnit(unit: UnitId): string {
  return unit.key === '' ? unit.name : `${unit.name}/${unit.key}`;
}

/** Orders unit ids by name, then by key. Zero means the same unit. */
export function compareUnits(a: UnitId, b: UnitId): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  if (a.key !== b.key) return a.key < b.key ? -1 : 1;
  return 0;
}
