import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type ColumnType,
  decodeValue,
  defaultValue,
  EMPTY_MAP,
  EMPTY_SET,
  encodeValue,
  parseSchema,
  type Value,
  ValueError,
} from '../../src/ovsdb-client/index.ts';

/** The type of a column that a schema declares so. */
function typeOf(type: unknown): ColumnType {
  return parseSchema({ name: 'S', version: '1', tables: { T: { columns: { c: { type } } } } }).column(
    'T',
    'c',
  ).type;
}

const many = { min: 0, max: 'unlimited' };
const integer = typeOf('integer');
const real = typeOf('real');
const text = typeOf('string');
const flag = typeOf('boolean');
const uuid = typeOf('uuid');
const optional = typeOf({ key: 'string', min: 0, max: 1 });
const texts = typeOf({ key: 'string', ...many });
const uuids = typeOf({ key: 'uuid', ...many });
const pair = typeOf({ key: 'integer', min: 1, max: 2 });
const map = typeOf({ key: 'string', value: 'uuid', ...many });

const A = 'aaaaaaaa-0000-4000-8000-00000000000a';
const B = 'bbbbbbbb-0000-4000-8000-00000000000b';

describe('values in wire form', () => {
  it.each<[string, ColumnType, unknown, Value]>([
    ['an integer', integer, -5, -5],
    ['the largest integer', integer, 2 ** 53 - 1, 2 ** 53 - 1],
    ['a real', real, 0.5, 0.5],
    ['a text', text, 'ü"\\', 'ü"\\'],
    ['a boolean', flag, false, false],
    ['a uuid', uuid, ['uuid', A], A],
    ['an optional scalar', optional, 'x', 'x'],
    ['no optional scalar', optional, ['set', []], undefined],
    ['a set of texts', texts, ['set', ['b', 'a']], new Set(['b', 'a'])],
    [
      'a set of uuids',
      uuids,
      [
        'set',
        [
          ['uuid', A],
          ['uuid', B],
        ],
      ],
      new Set([A, B]),
    ],
    ['a full set', pair, ['set', [1, 2]], new Set([1, 2])],
    ['an empty set', texts, ['set', []], new Set()],
    ['a map', map, ['map', [['k', ['uuid', A]]]], new Map([['k', A]])],
    ['an empty map', map, ['map', []], new Map()],
  ])('%s goes both ways', (_, type, json, value) => {
    expect(decodeValue(type, json)).toEqual(value);
    expect(encodeValue(type, value)).toEqual(json);
  });

  it.each<[string, ColumnType, unknown, Value]>([
    ['a set of one as an atom', texts, 'a', new Set(['a'])],
    ['a set of one uuid as an atom', uuids, ['uuid', A], new Set([A])],
    ['an optional scalar as a set', optional, ['set', ['x']], 'x'],
    ['a scalar as a set', integer, ['set', [7]], 7],
  ])('%s is read', (_, type, json, value) => {
    expect(decodeValue(type, json)).toEqual(value);
  });

  it.each<[string, ColumnType, unknown, string]>([
    ['an integer beyond 2^53', integer, 2 ** 53, 'must be integer, not 9007199254740992'],
    ['a fraction for an integer', integer, 1.5, 'must be integer, not 1.5'],
    ['text for an integer', integer, '1', 'must be integer, not "1"'],
    ['a number for text', text, 1, 'must be string, not 1'],
    ['null', text, null, 'must be string, not null'],
    ['nothing', text, undefined, 'must be string, not undefined'],
    ['a number for a boolean', flag, 0, 'must be boolean, not 0'],
    ['plain text for a uuid', uuid, A, `must be uuid, not "${A}"`],
    ['a broken uuid', uuid, ['uuid', 'x'], 'must be uuid, not ["uuid","x"]'],
    ['a name for a uuid', uuid, ['named-uuid', 'x'], 'must be uuid, not ["named-uuid","x"]'],
    [
      'two elements for an optional scalar',
      optional,
      ['set', ['a', 'b']],
      'must have 0 to 1 elements, not 2',
    ],
    ['no element for a scalar', integer, ['set', []], 'must have 1 to 1 elements, not 0'],
    ['too many elements', pair, ['set', [1, 2, 3]], 'must have 1 to 2 elements, not 3'],
    ['too few elements', pair, ['set', []], 'must have 1 to 2 elements, not 0'],
    ['an element twice', texts, ['set', ['a', 'a']], 'a set has the same element twice'],
    ['a wrong element', texts, ['set', ['a', 1]], 'must be string, not 1'],
    ['a set for a map', map, ['set', []], 'must be a map, not ["set",[]]'],
    ['a map for a set', texts, ['map', []], 'must be string, not ["map",[]]'],
    ['a pair of three', map, ['map', [['k', ['uuid', A], 1]]], 'must be a pair'],
    [
      'a key twice',
      map,
      [
        'map',
        [
          ['k', ['uuid', A]],
          ['k', ['uuid', B]],
        ],
      ],
      'a map has the same key twice',
    ],
    ['a wrong value of a map', map, ['map', [['k', 'v']]], 'must be uuid, not "v"'],
  ])('%s is not read', (_, type, json, message) => {
    expect(() => decodeValue(type, json)).toThrow(ValueError);
    expect(() => decodeValue(type, json)).toThrow(message);
  });

  it.each<[string, ColumnType, Value, string]>([
    ['NUL', text, 'a\0b', 'text with a NUL'],
    ['half a surrogate pair', text, '\ud800', 'half of a surrogate pair'],
    ['NUL in a set', texts, new Set(['\0']), 'text with a NUL'],
    ['an infinite real', real, Infinity, 'must be a finite number'],
    ['an unsafe integer', integer, 2 ** 60, 'must be integer'],
    ['an atom for a set', texts, 'a', 'must be a Set'],
    ['a Set for a map', map, new Set(), 'must be a Map'],
    ['nothing for a scalar', text, undefined, 'must be string'],
    ['text that names no row', uuid, 'no-id', 'must be a UUID or the name of one'],
    ['too many elements', pair, new Set([1, 2, 3]), 'must have 1 to 2 elements'],
  ])('%s is not written', (_, type, value, message) => {
    expect(() => encodeValue(type, value)).toThrow(ValueError);
    expect(() => encodeValue(type, value)).toThrow(message);
  });

  it('keeps to ranges, lengths and enumerations when writing', () => {
    const port = typeOf({ key: { type: 'integer', minInteger: 1, maxInteger: 65535 } });
    expect(encodeValue(port, 65535)).toBe(65535);
    expect(() => encodeValue(port, 0)).toThrow('0 is not within 1 to 65535');
    expect(() => encodeValue(port, 65536)).toThrow('65536 is not within 1 to 65535');
    const share = typeOf({ key: { type: 'real', minReal: 0.5 } });
    expect(() => encodeValue(share, 0.4)).toThrow('0.4 is not within 0.5 to any');
    const short = typeOf({ key: { type: 'string', minLength: 1, maxLength: 2 } });
    expect(encodeValue(short, '𝄞𝄞')).toBe('𝄞𝄞');
    expect(() => encodeValue(short, '')).toThrow('the length of "" is not within 1 to 2');
    const action = typeOf({ key: { type: 'string', enum: ['set', ['allow', 'drop']] } });
    expect(encodeValue(action, 'drop')).toBe('drop');
    expect(() => encodeValue(action, 'pass')).toThrow('must be one of allow, drop, not "pass"');
  });

  it('refers to rows of the same transaction by name', () => {
    expect(encodeValue(uuids, new Set(['port_1', A]))).toEqual([
      'set',
      [
        ['named-uuid', 'port_1'],
        ['uuid', A],
      ],
    ]);
  });

  it('shares one empty set and one empty map, which cannot be changed', () => {
    expect(decodeValue(texts, ['set', []])).toBe(EMPTY_SET);
    expect(decodeValue(map, ['map', []])).toBe(EMPTY_MAP);
    expect(() => (EMPTY_SET as Set<string>).add('x')).toThrow(TypeError);
    expect(() => (EMPTY_MAP as Map<string, string>).set('x', 'y')).toThrow(TypeError);
    expect([EMPTY_SET.size, EMPTY_MAP.size]).toEqual([0, 0]);
  });

  it('knows the defaults of RFC 7047', () => {
    expect([integer, real, text, flag].map(defaultValue)).toEqual([0, 0, '', false]);
    expect(defaultValue(uuid)).toBe('00000000-0000-0000-0000-000000000000');
    expect(defaultValue(optional)).toBeUndefined();
    expect(defaultValue(texts)).toBe(EMPTY_SET);
    expect(defaultValue(map)).toBe(EMPTY_MAP);
    expect(defaultValue(pair)).toEqual(new Set([0]));
  });

  it('reads what it wrote, through JSON', () => {
    const plain = fc.string({ unit: 'grapheme' }).filter(value => !value.includes('\0'));
    const id = fc.uuid().map(value => value.toLowerCase());
    const values: fc.Arbitrary<[ColumnType, Value]> = fc.oneof(
      fc.tuple(fc.constant(integer), fc.maxSafeInteger()),
      fc.tuple(
        fc.constant(real),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map(value => value + 0),
      ),
      fc.tuple(fc.constant(optional), fc.option(plain, { nil: undefined })),
      fc.tuple(
        fc.constant(texts),
        fc.uniqueArray(plain).map(items => new Set(items)),
      ),
      fc.tuple(
        fc.constant(uuids),
        fc.uniqueArray(id).map(items => new Set(items)),
      ),
      fc.tuple(
        fc.constant(map),
        fc.array(fc.tuple(plain, id)).map(items => new Map(items)),
      ),
    );
    fc.assert(
      fc.property(values, ([type, value]) => {
        const json: unknown = JSON.parse(JSON.stringify(encodeValue(type, value)));
        expect(decodeValue(type, json)).toEqual(value);
      }),
    );
  });
});
