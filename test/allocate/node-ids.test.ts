import { describe, expect, it } from '@jest/globals';
import { formatIp } from '../../src/addresses/index.ts';
import { ClusterAllocations, type NodeClaim, type NodeIdResult } from '../../src/allocate/index.ts';
import { cidr, node } from './support.ts';

class Ids {
  readonly allocations: ClusterAllocations;
  readonly said = new Map<string, string>();

  constructor(joinSubnets = ['100.64.0.0/16', 'fd98::/64'], objectsRemember = false) {
    const pools = [{ cidr: cidr('10.128.0.0/14'), hostPrefix: 23 }];
    this.allocations = new ClusterAllocations({ pools, joinSubnets: joinSubnets.map(cidr), objectsRemember });
  }

  set(name: string, id?: number, more: Partial<NodeClaim> = {}): this {
    this.allocations.setNode(
      name,
      node(name, undefined, { ...(id !== undefined && { requestedId: id }), ...more }),
    );
    return this;
  }

  settle(): Record<string, string> {
    for (const [name, result] of this.allocations.settle().nodeIds) {
      if (result) this.said.set(name, textOf(result));
      else this.said.delete(name);
    }
    return Object.fromEntries(this.said);
  }
}

const textOf = ({ id, joinIps, error }: NodeIdResult): string =>
  [id, ...joinIps.map(formatIp), ...(error ? [`! ${error.kind}: ${error.text}`] : [])].join(' ').trim();

describe("a node's id", () => {
  it('counts from 2 in the order of age, and gives the addresses in the join subnets', () => {
    const ids = new Ids().set('young', undefined, { created: '2026-02-01T00:00:00Z' });
    ids.set('old', undefined, { created: '2026-01-01T00:00:00Z' });
    expect(ids.settle()).toEqual({ old: '2 100.64.0.2 fd98::2', young: '3 100.64.0.3 fd98::3' });
  });

  it('stays when others come and go, and is the last one to be given again', () => {
    const ids = new Ids(['100.64.0.0/29']).set('a').set('b');
    ids.settle();
    ids.allocations.setNode('a', undefined);
    expect(ids.set('c').set('b').settle()).toEqual({ b: '3 100.64.0.3', c: '4 100.64.0.4' });
    expect(ids.set('d').set('e').set('f').settle()).toMatchObject({
      d: '5 100.64.0.5',
      e: '6 100.64.0.6',
      f: '2 100.64.0.2',
    });
  });

  it('is that of the annotation, before anybody else is given one', () => {
    const ids = new Ids().set('new', undefined, { created: '2020-01-01T00:00:00Z' }).set('known', 2);
    expect(ids.settle()).toMatchObject({ known: '2 100.64.0.2 fd98::2', new: '3 100.64.0.3 fd98::3' });
  });

  it('is refused to all but one: who has it, then the older', () => {
    const ids = new Ids().set('a', 7).set('b', 7, { created: '2026-01-01T00:00:00Z' });
    expect(ids.settle()).toEqual({
      a: '! NodeIdConflict: node id 7 is that of Node b; remove k8s.ovn.org/node-id, and the Node is given another',
      b: '7 100.64.0.7 fd98::7',
    });
    ids.set('older', 7, { created: '2000-01-01T00:00:00Z' });
    expect(ids.settle()).toMatchObject({
      b: '7 100.64.0.7 fd98::7',
      older: expect.stringMatching(/^! NodeIdConflict/),
    });
    ids.allocations.setNode('b', undefined);
    expect(ids.settle()).toMatchObject({ older: '7 100.64.0.7 fd98::7' });
  });

  it.each([0, 1, 65_535, 1e9])('%d is refused: it has no address of its own in the join subnets', id => {
    expect(new Ids().set('a', id).settle().a).toBe(
      `! NodeIdUnusable: node id ${id} has no address in the join subnets: those of 100.64.0.0/16 and fd98::/64 go from 2 to 65534; remove k8s.ovn.org/node-id`,
    );
  });

  it('that cannot be read is not given anew', () => {
    const ids = new Ids().set('a', undefined, { idProblem: { kind: 'Malformed', text: 'odd' } });
    expect(ids.settle()).toEqual({ a: '! Malformed: odd' });
    expect(ids.set('a').settle()).toEqual({ a: '2 100.64.0.2 fd98::2' });
    expect(ids.set('a', undefined, { idProblem: { kind: 'Malformed', text: 'odd' } }).settle()).toEqual({
      a: '2 100.64.0.2 fd98::2 ! Malformed: odd',
    });
  });

  it('says when there is none left, and waits', () => {
    const ids = new Ids(['100.64.0.0/30']).set('a').set('b');
    const full =
      '! NodeIdsExhausted: all node ids from 2 to 2 are in use, as many as 100.64.0.0/30 has addresses for; make joinSubnets larger';
    expect(ids.settle()).toEqual({ a: '2 100.64.0.2', b: full });
    ids.allocations.setNode('a', undefined);
    expect(ids.settle()).toEqual({ b: '2 100.64.0.2' });
  });

  it('is given by a leader only, who forgets what no Node shows when he stops', () => {
    const ids = new Ids(undefined, true).set('a').set('b', 9);
    expect(ids.settle()).toEqual({ a: '', b: '9 100.64.0.9 fd98::9' });
    ids.allocations.startAllocating();
    expect(ids.settle()).toMatchObject({ a: '10 100.64.0.10 fd98::a' });
    ids.allocations.stopAllocating();
    expect(ids.settle()).toEqual({ a: '', b: '9 100.64.0.9 fd98::9' });
  });
});
