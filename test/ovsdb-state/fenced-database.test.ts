import { describe, expect, it } from '@jest/globals';
import { NotConnectedError, OperationError } from '../../src/ovsdb-client/index.ts';
import type { Operation } from '../../src/ovsdb-client/types.ts';
import { type Database, fenced } from '../../src/ovsdb-state/index.ts';

const check: Operation = { op: 'assert', lock: 'l' };

function setUp(transact: Database['transact']) {
  const listeners = new Set<() => void>();
  const fence = {
    held: true,
    operations: [check] as readonly Operation[],
    onChange: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const database: Database = {
    state: 'ready',
    schema: undefined,
    rows: () => new Map(),
    onDelta: () => () => undefined,
    onState: () => () => undefined,
    transact,
  };
  return { database: fenced(database, fence), fence, tell: () => [...listeners].map(listener => listener()) };
}

describe('a fenced database', () => {
  it('is ready only while the right to write is held, and says when that changes', () => {
    const { database, fence, tell } = setUp(async () => []);
    let told = 0;
    const stop = database.onState(() => {
      told += 1;
    });
    expect(database.state).toBe('ready');
    fence.held = false;
    tell();
    expect(database.state).not.toBe('ready');
    expect(told).toBe(1);
    stop();
    tell();
    expect(told).toBe(1);
  });

  it('checks in front of every transaction, and hides that from the results', async () => {
    const sent: (readonly Operation[])[] = [];
    const { database } = setUp(async operations => {
      sent.push(operations);
      return [{}, { count: 7 }];
    });
    expect(await database.transact([{ op: 'mutate' }])).toEqual([{ count: 7 }]);
    expect(sent).toEqual([[check, { op: 'mutate' }]]);
  });

  it('sends nothing while the right is not held', async () => {
    const { database, fence } = setUp(async () => {
      throw new Error('sent');
    });
    fence.held = false;
    await expect(database.transact([])).rejects.toThrow(NotConnectedError);
  });

  it('asks for the checks anew for each transaction', async () => {
    const sent: (readonly Operation[])[] = [];
    const { database, fence } = setUp(async operations => {
      sent.push(operations);
      return operations.map(() => ({}));
    });
    fence.operations = [];
    await database.transact([{ op: 'mutate' }]);
    expect(sent).toEqual([[{ op: 'mutate' }]]);
  });

  it('counts the operations of an error from the first real one', async () => {
    const { database } = setUp(async () => {
      throw new OperationError('constraint violation', 'why', 3);
    });
    await expect(database.transact([])).rejects.toMatchObject({
      code: 'constraint violation',
      operationIndex: 2,
    });
  });

  it('leaves an error of the commit as it is', async () => {
    const { database } = setUp(async () => {
      throw new OperationError('referential integrity violation', 'why', undefined);
    });
    await expect(database.transact([])).rejects.toMatchObject({ code: 'referential integrity violation' });
  });

  it('takes a failed check for a lost connection: nothing was applied, and no row is to blame', async () => {
    const { database } = setUp(async () => {
      throw new OperationError('not owner', undefined, 0);
    });
    const error = await database.transact([]).catch(caught => caught);
    expect(error).toBeInstanceOf(NotConnectedError);
    expect(error.maybeApplied).toBe(false);
  });
});
