import { describe, expect, it } from '@jest/globals';
import {
  assertLock,
  assertRows,
  byUuid,
  comment,
  insert,
  mutate,
  OperationError,
  ProtocolError,
  remove,
  select,
  update,
} from '../../src/ovsdb-client/index.ts';
import { checkResults } from '../../src/ovsdb-client/transaction.ts';
import { uuid } from '../support/scripted-ovsdb-server.ts';

/** What checkResults throws. */
function errorOf(count: number, answer: unknown): unknown {
  try {
    checkResults(count, answer);
  } catch (error) {
    return error;
  }
  throw new Error('no error');
}

describe('operations', () => {
  it('have the form of RFC 7047', () => {
    const where = [['_uuid', '==', ['uuid', uuid(1)]]];
    expect(byUuid(uuid(1))).toEqual(where);
    expect(insert('T', { a: 1 })).toEqual({ op: 'insert', table: 'T', row: { a: 1 } });
    expect(insert('T', {}, { uuid: uuid(2), name: 'n' })).toEqual({
      op: 'insert',
      table: 'T',
      row: {},
      uuid: uuid(2),
      'uuid-name': 'n',
    });
    expect(update('T', byUuid(uuid(1)), { a: 2 })).toEqual({
      op: 'update',
      table: 'T',
      where,
      row: { a: 2 },
    });
    expect(mutate('T', byUuid(uuid(1)), [['s', 'insert', 'x']])).toEqual({
      op: 'mutate',
      table: 'T',
      where,
      mutations: [['s', 'insert', 'x']],
    });
    expect(remove('T', [])).toEqual({ op: 'delete', table: 'T', where: [] });
    expect(select('T', [], ['a'])).toEqual({ op: 'select', table: 'T', where: [], columns: ['a'] });
    expect(assertRows('T', [], ['a'], [{ a: 1 }])).toEqual({
      op: 'wait',
      timeout: 0,
      table: 'T',
      where: [],
      columns: ['a'],
      until: '==',
      rows: [{ a: 1 }],
    });
    expect(comment('why')).toEqual({ op: 'comment', comment: 'why' });
    expect(assertLock('l')).toEqual({ op: 'assert', lock: 'l' });
  });
});

describe('results', () => {
  it('are counts, uuids, rows or nothing', () => {
    const answer = [{ count: 2 }, { uuid: ['uuid', uuid(1)] }, { rows: [{ a: 1 }] }, {}];
    expect(checkResults(4, answer)).toEqual([{ count: 2 }, { uuid: uuid(1) }, { rows: [{ a: 1 }] }, {}]);
  });

  it('with an error have the index of its operation; later ones are null', () => {
    const error = errorOf(3, [{}, { error: 'timed out', details: 'no such row' }, null]);
    expect(error).toBeInstanceOf(OperationError);
    expect(error).toMatchObject({ code: 'timed out', details: 'no such row', operationIndex: 1 });
    expect(error).toHaveProperty('message', 'operation 1: timed out: no such row');
  });

  it('with an error of the commit have one element more, and no index', () => {
    const details = 'Table T would have two rows';
    const error = errorOf(2, [{ count: 1 }, { count: 1 }, { error: 'constraint violation', details }]);
    expect(error).toMatchObject({ code: 'constraint violation', details, operationIndex: undefined });
    expect(error).toHaveProperty('message', `constraint violation: ${details}`);
  });

  it('need no details', () => {
    expect(errorOf(1, [{ error: 'aborted' }])).toMatchObject({ code: 'aborted', details: undefined });
  });

  it.each([
    ['no list', 1, {}],
    ['too few', 2, [{}]],
    ['too many', 1, [{}, {}]],
    ['null without an error', 2, [{}, null]],
    ['an error that is no text', 1, [{ error: 7 }]],
    ['a number', 1, [7]],
  ])('are nonsense: %s', (_, count, answer) => {
    expect(errorOf(count, answer)).toBeInstanceOf(ProtocolError);
  });
});
