import { describe, expect, it } from '@jest/globals';
import { batchComment } from '../../src/ovsdb-state/batch-comment.ts';
import { TrackedRow } from '../../src/ovsdb-state/tracked-row.ts';
import { bridges } from '../support/model-bridges.ts';
import { ModelSession } from '../support/model-session.ts';

describe('the comment of a transaction', () => {
  it('says for what it is: installation, number of rows, the first units', async () => {
    const session = new ModelSession();
    const comments = () => session.database.sent.map(operations => operations.at(-1));
    await session.start(bridges({ b1: ['p1'] }));
    await session.want(bridges({ b1: ['p1', 'p2', 'p3', 'p4', 'p5'] }));
    await session.want(bridges({ b1: ['p1', 'p2', 'p3', 'p5'] }));
    expect(comments()).toEqual(
      ['2 rows of unit/b1, unit/p1', '4 rows of unit/p2, unit/p3, unit/p4, …', '1 row of Port p4'].map(
        comment => ({ op: 'comment', comment: `kube-northbound ours: ${comment}` }),
      ),
    );
  });

  it('is short and readable, whatever the names', () => {
    const rows = [1, 2, 3, 4].map(n => new TrackedRow('Port', `${n}\ud800\n${'x'.repeat(10_000)}`));
    const comment = batchComment('ours\0', rows);
    expect(comment.length).toBeLessThan(400);
    expect(comment).toMatch(/^kube-northbound ours\?: 4 rows of Port 1\?\?x+…, [ -~…]*, …$/);
  });
});
