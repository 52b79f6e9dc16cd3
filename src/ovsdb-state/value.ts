import { ValueError } from '../ovsdb-client/errors.ts';
import type { BaseType, ColumnType } from '../ovsdb-client/schema.ts';
import type { Atom, Value } from '../ovsdb-client/types.ts';
import { decodeValue, defaultValue, encodeAtom } from '../ovsdb-client/wire.ts';
import { type DesiredAtom, type DesiredValue, isList, isRef, type RowRef } from './row.ts';

/** Gives the UUID of a row that we refer to. */
export type Resolve = (ref: RowRef) => string;

/** A pair of a map in wire form. */
type WirePair = readonly [key: unknown, value: unknown];

/**
 * A desired value in the form in which the mirror holds values, so that the two can be compared. `undefined` gives
 * the column's default. Throws {@link ValueError} where the column cannot hold the value.
 */
export function normalize(desired: DesiredValue | undefined, type: ColumnType, resolve: Resolve): Value {
  return desired === undefined
    ? defaultValue(type)
    : decodeValue(type, encodeDesired(desired, type, resolve));
}

/** A desired value in wire form (RFC 7047, 5.1). Throws {@link ValueError} where the column cannot hold it. */
export function encodeDesired(desired: DesiredValue, type: ColumnType, resolve: Resolve): unknown {
  if (type.shape === 'map') return ['map', encodePairs(desired, type, resolve)];
  if (!isList(desired)) {
    if (typeof desired === 'object' && !isRef(desired))
      throw new ValueError(`must be a ${type.shape}, not a map`);
    return encodeDesiredAtom(desired, type.key, resolve);
  }
  const distinct = desired.length > 1 ? [...new Set(desired)] : desired;
  if (distinct.length < type.min || distinct.length > type.max) {
    throw new ValueError(`must have ${type.min} to ${type.max} elements, not ${distinct.length}`);
  }
  const atoms = distinct.map(atom => encodeDesiredAtom(atom, type.key, resolve));
  return type.shape === 'scalar' ? atoms[0] : ['set', atoms];
}

/** The pairs of a desired map in wire form. Throws {@link ValueError} where the column cannot hold them. */
export function encodePairs(desired: DesiredValue, type: ColumnType, resolve: Resolve): WirePair[] {
  if (typeof desired !== 'object' || isList(desired) || isRef(desired)) throw new ValueError('must be a map');
  const { key, value = key } = type;
  const isNumeric = key.type === 'integer' || key.type === 'real';
  const pairs: WirePair[] = [];
  for (const name in desired) {
    const wireKey = encodeDesiredAtom(isNumeric ? Number(name) : name, key, resolve);
    pairs.push([wireKey, encodeDesiredAtom(desired[name] ?? '', value, resolve)]);
  }
  return pairs;
}

/** One desired atom in wire form. Throws {@link ValueError} where it does not fit. */
export function encodeDesiredAtom(atom: DesiredAtom, type: BaseType, resolve: Resolve): unknown {
  if (typeof atom === 'object') {
    if (type.type !== 'uuid' || type.refTable !== atom.table) {
      throw new ValueError(`must be ${type.refTable ?? `a ${type.type}`}, not a reference to ${atom.table}`);
    }
    return encodeAtom(type, resolve(atom));
  }
  if (type.type === 'uuid') throw new ValueError(`must be a reference, not ${JSON.stringify(atom)}`);
  return encodeAtom(type, atom);
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

/** Whether a value of the mirror is what `wire` says, a value of ours in wire form. Makes nothing in between. */
export function equalsWire(value: Value, wire: unknown): boolean {
  const kind: unknown = Array.isArray(wire) ? wire[0] : undefined;
  if (kind !== 'set' && kind !== 'map') return equalsAtoms(value, [wire]);
  const elements: readonly unknown[] = (wire as [string, unknown[]])[1];
  if (kind === 'set') return equalsAtoms(value, elements);
  return value instanceof Map && equalsPairs(value, elements as readonly WirePair[]);
}

function equalsAtoms(value: Value, atoms: readonly unknown[]): boolean {
  if (!(value instanceof Set)) return atoms.length <= 1 && value === atomOf(atoms[0]);
  if (value.size !== atoms.length) return false;
  for (const atom of atoms) if (!value.has(atomOf(atom))) return false;
  return true;
}

function equalsPairs(map: ReadonlyMap<Atom, Atom>, pairs: readonly WirePair[]): boolean {
  if (map.size !== pairs.length) return false;
  for (const [key, value] of pairs) if (map.get(atomOf(key)) !== atomOf(value)) return false;
  return true;
}

/** The wire form of every atom but a UUID is the atom itself. */
function atomOf(wire: unknown): Atom {
  return (Array.isArray(wire) ? wire[1] : wire) as Atom;
}
