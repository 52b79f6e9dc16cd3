import { ValueError } from '../ovsdb-client/errors.ts';
import type { BaseType, ColumnType } from '../ovsdb-client/schema.ts';
import type { Atom, Value } from '../ovsdb-client/types.ts';
import { defaultValue, encodeAtom } from '../ovsdb-client/wire.ts';
import { type DesiredAtom, type DesiredValue, isList, isRef, type RowRef } from './row.ts';

/** Gives the UUID of a row that we refer to. */
export type Resolve = (ref: RowRef) => string;

/**
 * A desired value in the form in which the mirror holds values, so that the two can be compared. `undefined` gives
 * the column's default. Throws {@link ValueError} where the column cannot hold the value.
 */
export function normalize(desired: DesiredValue | undefined, type: ColumnType, resolve: Resolve): Value {
  if (desired === undefined) return defaultValue(type);
  if (type.shape === 'map') return normalizeMap(desired, type, resolve);
  if (typeof desired === 'object' && !isList(desired) && !isRef(desired)) {
    throw new ValueError(`must be a ${type.shape}, not a map`);
  }
  const atoms = (isList(desired) ? desired : [desired]).map(atom => normalizeAtom(atom, type.key, resolve));
  if (atoms.length < type.min || atoms.length > type.max) {
    throw new ValueError(`must have ${type.min} to ${type.max} elements, not ${atoms.length}`);
  }
  return type.shape === 'set' ? new Set(atoms) : atoms[0];
}

function normalizeMap(desired: DesiredValue, type: ColumnType, resolve: Resolve): Value {
  if (typeof desired !== 'object' || isList(desired) || isRef(desired)) throw new ValueError('must be a map');
  const { key, value = key } = type;
  const numeric = key.type === 'integer' || key.type === 'real';
  return new Map(
    Object.entries(desired).map(([k, v]) => [
      normalizeAtom(numeric ? Number(k) : k, key, resolve),
      normalizeAtom(v, value, resolve),
    ]),
  );
}

/** One desired atom as the mirror holds it. Throws {@link ValueError} where it does not fit. */
export function normalizeAtom(atom: DesiredAtom, type: BaseType, resolve: Resolve): Atom {
  if (typeof atom === 'object') {
    if (type.type !== 'uuid' || type.refTable !== atom.table) {
      throw new ValueError(`must be ${type.refTable ?? `a ${type.type}`}, not a reference to ${atom.table}`);
    }
    return resolve(atom);
  }
  if (type.type === 'uuid') throw new ValueError(`must be a reference, not ${JSON.stringify(atom)}`);
  // The wire form of anything but a UUID is the atom itself; this checks type, range and enum.
  encodeAtom(type, atom);
  return atom;
}

/** Whether two values of one column are the same: sets and maps without order. Text is compared as text. */
export function equalValue(a: Value, b: Value): boolean {
  if (a instanceof Set) {
    if (!(b instanceof Set) || a.size !== b.size) return false;
    for (const atom of a) if (!b.has(atom)) return false;
    return true;
  }
  if (a instanceof Map) {
    if (!(b instanceof Map) || a.size !== b.size) return false;
    for (const [key, value] of a) if (!b.has(key) || b.get(key) !== value) return false;
    return true;
  }
  return a === b;
}
