import { describe, expect, it } from '@jest/globals';
import { type Value, ValueError } from '../../src/ovsdb-client/index.ts';
import { type DesiredValue, ref } from '../../src/ovsdb-state/index.ts';
import { encodeDesired, equalsWire, equalValue, normalize } from '../../src/ovsdb-state/value.ts';
import { modelSchema } from '../support/model-schema.ts';

const UUID = '11111111-0000-4000-8000-00000000000a';
const resolve = () => UUID;
const type = (table: string, column: string) => modelSchema.column(table, column).type;

describe('equalValue', () => {
  const set = (...atoms: string[]) => new Set(atoms);
  const map = (...pairs: [string, string][]) => new Map(pairs);
  const table: readonly (readonly [a: Value, b: Value, equal: boolean])[] = [
    ['a', 'a', true],
    ['a', 'b', false],
    [1, 1, true],
    [1, '1', false],
    [undefined, undefined, true],
    [undefined, '', false],
    [undefined, false, false],
    [set('a', 'b'), set('b', 'a'), true],
    [set('a'), set('a', 'b'), false],
    [set('a', 'b'), set('a', 'c'), false],
    [set(), set(), true],
    [set(), undefined, false],
    [map(['k', 'v'], ['l', 'w']), map(['l', 'w'], ['k', 'v']), true],
    [map(['k', 'v']), map(['k', 'w']), false],
    [map(['k', 'v']), map(['l', 'v']), false],
    [map(['k', 'v']), map(), false],
    [set(), map(), false],
    // IPv6 text is compared as text: whoever writes it writes it in one form.
    ['fd01::1', 'fd01:0::1', false],
  ];
  it.each(table)('%p and %p: %p', (a, b, equal) => {
    expect(equalValue(a, b)).toBe(equal);
    expect(equalValue(b, a)).toBe(equal);
  });
});

describe('normalize', () => {
  const good: readonly (readonly [
    table: string,
    column: string,
    desired: DesiredValue | undefined,
    value: Value,
  ])[] = [
    ['Port', 'name', 'p', 'p'],
    ['Port', 'name', ['p'], 'p'],
    ['Port', 'name', undefined, ''],
    ['Port', 'tag', 5, 5],
    ['Port', 'tag', [5], 5],
    ['Port', 'tag', [], undefined],
    ['Port', 'tag', undefined, undefined],
    ['Port', 'addresses', ['b', 'a'], new Set(['a', 'b'])],
    ['Port', 'addresses', 'a', new Set(['a'])],
    ['Port', 'addresses', [], new Set()],
    ['Port', 'options', { x: '1' }, new Map([['x', '1']])],
    ['Port', 'options', {}, new Map()],
    ['Port', 'pool', ref('Pool', 'l'), UUID],
  ];
  it.each(good)('%s.%s: %p', (table, column, desired, value) => {
    expect(normalize(desired, type(table, column), resolve)).toEqual(value);
  });

  it.each(good)('%s.%s: %p is the same in wire form', (table, column, desired, value) => {
    if (desired === undefined) return;
    expect(equalsWire(value, encodeDesired(desired, type(table, column), resolve))).toBe(true);
  });

  const bad: readonly (readonly [table: string, column: string, desired: DesiredValue])[] = [
    ['Port', 'name', 5],
    ['Port', 'name', ['a', 'b']],
    ['Port', 'name', []],
    ['Port', 'tag', 101],
    ['Port', 'tag', '5'],
    ['Port', 'tag', [1, 2]],
    ['Port', 'tag', 1.5],
    ['Port', 'name', { k: 'v' }],
    ['Port', 'options', 'x'],
    ['Port', 'options', ['x']],
    ['Port', 'options', { x: 1 }],
    ['Port', 'pool', ref('Bridge', 'b')],
    ['Port', 'pool', '11111111-0000-4000-8000-000000000001'],
    ['Port', 'name', ref('Pool', 'l')],
  ];
  it.each(bad)('refuses %s.%s: %p', (table, column, desired) => {
    expect(() => normalize(desired, type(table, column), resolve)).toThrow(ValueError);
  });
});

describe('equalsWire', () => {
  const table: readonly (readonly [value: Value, wire: unknown, equal: boolean])[] = [
    ['a', 'a', true],
    ['a', 'b', false],
    [1, 1, true],
    [1, '1', false],
    [UUID, ['uuid', UUID], true],
    ['a', ['uuid', UUID], false],
    [undefined, ['set', []], true],
    ['a', ['set', []], false],
    [5, ['set', [5]], true],
    [5, ['set', [6]], false],
    [5, ['set', [5, 6]], false],
    [undefined, 'a', false],
    [new Set(), ['set', []], true],
    [new Set(['a']), 'a', true],
    [new Set(['a', 'b']), ['set', ['b', 'a']], true],
    [new Set(['a', 'b']), ['set', ['a']], false],
    [new Set(['a', 'b']), ['set', ['a', 'c']], false],
    [new Set([UUID]), ['set', [['uuid', UUID]]], true],
    [new Map([['k', 'v']]), ['map', [['k', 'v']]], true],
    [new Map([['k', 'v']]), ['map', [['k', 'w']]], false],
    [new Map([['k', 'v']]), ['map', []], false],
    [new Map([['k', UUID]]), ['map', [['k', ['uuid', UUID]]]], true],
    [new Map(), ['map', []], true],
    [new Map(), ['set', []], false],
    [new Set(), ['map', []], false],
  ];
  it.each(table)('%p and %p: %p', (value, wire, equal) => {
    expect(equalsWire(value, wire)).toBe(equal);
  });
});
