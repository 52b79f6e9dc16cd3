import { ValueError } from './errors.ts';
import type { AtomType, BaseType, ColumnType } from './schema.ts';
import type { Atom, Value } from './types.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ID = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The value of all empty set columns: most are empty in a large database. It cannot be changed. */
export const EMPTY_SET: ReadonlySet<Atom> = immutable(new Set<Atom>(), 'add');

/** The value of all empty map columns. It cannot be changed. */
export const EMPTY_MAP: ReadonlyMap<Atom, Atom> = immutable(new Map<Atom, Atom>(), 'set');

function immutable<T extends object>(empty: T, method: string): T {
  const value = () => {
    throw new TypeError('the shared empty value cannot be changed');
  };
  return Object.freeze(Object.defineProperty(empty, method, { value }));
}

/** Whether a text is a UUID as servers write it. */
export function isUuid(text: string): boolean {
  return text.length === 36 && UUID.test(text);
}

/** Reads a column's value (RFC 7047, 5.1 <value>). Throws {@link ValueError} where it does not fit the type. */
export function decodeValue(type: ColumnType, json: unknown): Value {
  switch (type.shape) {
    case 'scalar':
    case 'optional':
      return decodeSingle(type, json);
    case 'set':
      return decodeSet(type, json);
    case 'map': {
      const map = decodePairs(type, json);
      checkSize(type, map.size);
      return map;
    }
  }
}

function decodeSingle(type: ColumnType, json: unknown): Atom | undefined {
  const elements = elementsOf('set', json);
  if (elements === undefined) return decodeAtom(type.key.type, json);
  checkSize(type, elements.length);
  return elements.length === 0 ? undefined : decodeAtom(type.key.type, elements[0]);
}

function decodeSet(type: ColumnType, json: unknown): ReadonlySet<Atom> {
  const elements = elementsOf('set', json);
  checkSize(type, elements?.length ?? 1);
  if (elements?.length === 0) return EMPTY_SET;
  const set = new Set<Atom>();
  if (elements === undefined) return set.add(decodeAtom(type.key.type, json));
  for (const element of elements) set.add(decodeAtom(type.key.type, element));
  if (set.size !== elements.length) throw new ValueError('a set has the same element twice');
  return set;
}

/** Reads a set's elements without regard to how many the column may hold: also the difference of two sets. */
export function decodeAtoms(type: ColumnType, json: unknown): Atom[] {
  const elements = elementsOf('set', json);
  if (elements === undefined) return [decodeAtom(type.key.type, json)];
  const atoms: Atom[] = [];
  for (const element of elements) atoms.push(decodeAtom(type.key.type, element));
  return atoms;
}

/** Reads a map's pairs without regard to how many the column may hold: also the difference of two maps. */
export function decodePairs(type: ColumnType, json: unknown): ReadonlyMap<Atom, Atom> {
  const pairs = elementsOf('map', json);
  if (pairs === undefined || type.value === undefined) throw mismatch('a map', json);
  if (pairs.length === 0) return EMPTY_MAP;
  const map = new Map<Atom, Atom>();
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2) throw mismatch('a pair', pair);
    map.set(decodeAtom(type.key.type, pair[0]), decodeAtom(type.value.type, pair[1]));
  }
  if (map.size !== pairs.length) throw new ValueError('a map has the same key twice');
  return map;
}

/** Reads one atom (RFC 7047, 5.1 <atom>). Integers beyond 2^53 are refused: they would change silently. */
function decodeAtom(type: AtomType, json: unknown): Atom {
  switch (type) {
    case 'string':
      if (typeof json === 'string') return json;
      break;
    case 'integer':
      if (typeof json === 'number' && Number.isSafeInteger(json)) return json;
      break;
    case 'real':
      if (typeof json === 'number') return json;
      break;
    case 'boolean':
      if (typeof json === 'boolean') return json;
      break;
    case 'uuid':
      if (Array.isArray(json) && json.length === 2 && json[0] === 'uuid') {
        const uuid: unknown = json[1];
        if (typeof uuid === 'string' && isUuid(uuid)) return uuid;
      }
      break;
  }
  throw mismatch(type, json);
}

/** The value of a column that was never set (RFC 7047, 5.2.1); update2 leaves such columns out of new rows. */
export function defaultValue(type: ColumnType): Value {
  switch (type.shape) {
    case 'scalar':
      return defaultAtom(type.key);
    case 'optional':
      return undefined;
    case 'set':
      return type.min === 0 ? EMPTY_SET : new Set([defaultAtom(type.key)]);
    case 'map':
      if (type.min === 0 || type.value === undefined) return EMPTY_MAP;
      return new Map([[defaultAtom(type.key), defaultAtom(type.value)]]);
  }
}

function defaultAtom(base: BaseType): Atom {
  switch (base.type) {
    case 'string':
      return '';
    case 'boolean':
      return false;
    case 'uuid':
      return '00000000-0000-0000-0000-000000000000';
    default:
      return 0;
  }
}

/**
 * Writes a column's value in wire form. Text that is no UUID but an <id> stands, in a uuid column, for the row that
 * the same transaction inserts under that "uuid-name". Throws {@link ValueError} for what the column cannot hold.
 */
export function encodeValue(type: ColumnType, value: Value): unknown {
  if (type.shape === 'map') {
    if (!(value instanceof Map) || type.value === undefined) throw mismatch('a Map', value);
    checkSize(type, value.size);
    const pairs: unknown[] = [];
    for (const [key, item] of value) pairs.push([encodeAtom(type.key, key), encodeAtom(type.value, item)]);
    return ['map', pairs];
  }
  if (type.shape === 'set') {
    if (!(value instanceof Set)) throw mismatch('a Set', value);
    checkSize(type, value.size);
    return ['set', Array.from(value, atom => encodeAtom(type.key, atom))];
  }
  if (value === undefined && type.shape === 'optional') return ['set', []];
  return encodeAtom(type.key, value);
}

/** Writes one atom in wire form; see {@link encodeValue}. */
export function encodeAtom(base: BaseType, value: unknown): unknown {
  if (base.type === 'uuid') {
    if (typeof value === 'string' && isUuid(value)) return ['uuid', value];
    if (typeof value === 'string' && ID.test(value)) return ['named-uuid', value];
    throw mismatch('a UUID or the name of one', value);
  }
  if (base.type === 'real' && !Number.isFinite(value)) throw mismatch('a finite number', value);
  const atom = decodeAtom(base.type, value);
  if (typeof atom === 'string' && !isSendable(atom)) {
    throw new ValueError('text with a NUL or half of a surrogate pair: no OVSDB server reads it');
  }
  if (base.enum !== undefined && !base.enum.has(atom)) {
    throw new ValueError(`must be one of ${[...base.enum].join(', ')}, not ${JSON.stringify(atom)}`);
  }
  checkRange(base, atom);
  return atom;
}

function isSendable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

function checkRange(base: BaseType, atom: Atom): void {
  if (base.minimum === undefined && base.maximum === undefined) return;
  // RFC 7047, 3.2: lengths count characters, not UTF-16 code units.
  const size = typeof atom === 'string' ? [...atom].length : Number(atom);
  if (size < (base.minimum ?? -Infinity) || size > (base.maximum ?? Infinity)) {
    const what = typeof atom === 'string' ? 'the length of' : '';
    const range = `${base.minimum ?? 'any'} to ${base.maximum ?? 'any'}`;
    throw new ValueError(`${what} ${JSON.stringify(atom)} is not within ${range}`.trim());
  }
}

function checkSize(type: ColumnType, size: number): void {
  if (size < type.min || size > type.max) {
    throw new ValueError(`must have ${type.min} to ${type.max} elements, not ${size}`);
  }
}

function elementsOf(kind: 'set' | 'map', json: unknown): readonly unknown[] | undefined {
  if (!Array.isArray(json) || json.length !== 2 || json[0] !== kind) return undefined;
  const elements: unknown = json[1];
  return Array.isArray(elements) ? elements : undefined;
}

function mismatch(wanted: string, found: unknown): ValueError {
  const shown = typeof found === 'number' ? String(found) : JSON.stringify(found);
  return new ValueError(`must be ${wanted}, not ${String(shown).slice(0, 100)}`);
}
