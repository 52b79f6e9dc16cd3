import { describe, expect, it } from '@jest/globals';
import { OperationError, ValueError } from '../../src/ovsdb-client/index.ts';
import { bridges } from '../support/model-bridges.ts';
import type { Fate } from '../support/model-database.ts';
import { ModelSession } from '../support/model-session.ts';

/** The next transaction has this fate, all others are carried out. */
function once(fate: Fate): () => Fate {
  let due = true;
  return () => {
    if (!due) return { kind: 'normal' };
    due = false;
    return fate;
  };
}

const timedOut = new OperationError('timed out', undefined, 0);

describe('OwnedDatabase, after a transaction that came to nothing', () => {
  it.each([
    ['whose conditions did not hold', timedOut],
    ['that could not be sent', new ValueError('unreadable')],
    ['that the server had no room for', new OperationError('I/O error', 'disk full', undefined)],
    [
      'that a leader did not bring through',
      new OperationError('cluster error', 'lost leadership', undefined),
    ],
    ['that had been carried out', new OperationError('duplicate uuid', undefined, 0)],
  ])('tries one %s again only after a pause', async (_, error) => {
    const session = new ModelSession();
    session.database.fate = () => ({ kind: 'refused', error: error as OperationError });
    await session.start(bridges({ b1: ['p1'] }));
    expect(session.database.sent).toHaveLength(1);
    await session.wait(1_000);
    expect(session.database.sent.length).toBeGreaterThan(1);
    expect(session.database.sent.length).toBeLessThan(8);
    session.database.fate = () => ({ kind: 'normal' });
    await session.wait(60_000);
    expect(session.names('Port')).toEqual(['p1']);
  });

  it('still moves a child into a new parent, and out of the old one, in one transaction', async () => {
    const session = new ModelSession();
    await session.start(bridges({ b1: ['p1'] }));
    session.database.fate = once({ kind: 'refused', error: timedOut });
    const { length } = session.database.sent;
    await session.want(bridges({ b1: [], b2: ['p1'] }));
    await session.wait(1_000);
    expect(session.in('Bridge', 'b2', 'ports', 'Port')).toEqual(['p1']);
    expect(session.in('Bridge', 'b1', 'ports', 'Port')).toEqual([]);
    expect(session.database.sent).toHaveLength(length + 2);
  });

  it('holds up no other row for one whose conditions never hold', async () => {
    const session = new ModelSession();
    session.database.fate = operations => {
      const index = operations.findIndex(({ row }) => (row as { name?: string } | undefined)?.name === 'b2');
      if (index < 0) return { kind: 'normal' };
      return { kind: 'refused', error: new OperationError('timed out', undefined, index) };
    };
    await session.start(bridges({ b1: ['p1'], b2: ['p2'] }));
    await session.wait(1_000);
    expect(session.names('Port')).toEqual(['p1']);
    expect(session.status().problems[0]).toMatchObject({ kind: 'failed', table: 'Bridge', key: 'b2' });
  });

  it('blames no row while the server takes none', async () => {
    const session = new ModelSession();
    const error = new OperationError('I/O error', 'disk full', undefined);
    session.database.fate = () => ({ kind: 'refused', error });
    await session.start(bridges({ b1: ['p1'], b2: ['p2'] }));
    await session.wait(60_000);
    expect(session.database.sent.length).toBeLessThan(25);
    expect(session.status()).toMatchObject({ inSync: false, problems: [] });
  });
});
