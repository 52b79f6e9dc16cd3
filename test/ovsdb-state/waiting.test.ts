import { describe, expect, it } from '@jest/globals';
import { bridges } from '../support/model-bridges.ts';
import { ModelSession } from '../support/model-session.ts';

describe('what is not written yet', () => {
  it('is counted by rows', async () => {
    const session = new ModelSession();
    expect(session.owned.waiting).toBe(0);
    await session.start(bridges({ b1: ['p1'] }));
    expect(session.owned.waiting).toBe(0);
    session.database.disconnect();
    await session.want(bridges({ b1: ['p1', 'p2'], b2: [] }));
    // The new port and the new bridge.
    expect(session.owned.waiting).toBe(2);
    session.database.reconnect();
    await session.settle();
    expect(session.owned.waiting).toBe(0);
  });
});
