import { describe, expect, it } from '@jest/globals';
import { termProblem } from '../../src/master/northbound.ts';
import type { Row } from '../../src/ovsdb-client/index.ts';

/** A northbound whose NB_Global has these external_ids. */
function northbound(...ids: readonly (readonly [string, string])[]) {
  const row: Row = { uuid: 'u', columns: { external_ids: new Map(ids) } };
  return { rows: (table: string) => new Map(table === 'NB_Global' ? [['u', row]] : []) };
}

describe('a master with manifests', () => {
  it('is told who keeps the installation with an API server, and what to do', () => {
    const stamped = northbound(['kube-northbound/term/blue', '7/master-1_ab']);
    const problem = termProblem(stamped, 'blue');
    expect(problem).toContain('NB_Global says kube-northbound/term/blue=7/master-1_ab');
    expect(problem).toContain('ovn-nbctl remove NB_Global . external_ids kube-northbound/term/blue');
  });

  it('is kept out by a term that makes no sense, too', () => {
    expect(termProblem(northbound(['kube-northbound/term/blue', '?']), 'blue')).toBeDefined();
  });

  it.each([[[['other', 'x']]], [[['kube-northbound/term/green', '7/master-1']]], [[]]] as const)(
    'may write where NB_Global says %j',
    ids => {
      expect(termProblem(northbound(...ids), 'blue')).toBeUndefined();
    },
  );

  it('may write where there is no NB_Global yet', () => {
    expect(termProblem({ rows: () => new Map() }, 'blue')).toBeUndefined();
  });
});
