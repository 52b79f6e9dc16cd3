import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Conditions, type Requirements } from '../../src/observe/conditions.ts';
import { masterStatus, publish } from './publish.ts';

const NOTHING: Requirements = { databases: [], resources: [], manifests: false, lease: false, cni: false };
const MINUTE = 60_000;

let now = 0;
let conditions: Conditions;

function needing(requirements: Partial<Requirements>): void {
  conditions = new Conditions({ ...NOTHING, ...requirements }, () => now);
}

beforeEach(() => {
  now = 0;
});
afterEach(() => conditions.close());

describe('a process is ready', () => {
  it('when its databases are connected, and not while one is away', () => {
    needing({ databases: ['OVN_Northbound'] });
    const database = 'OVN_Northbound';
    expect(conditions.unready()).toEqual(['OVN_Northbound is not connected yet']);
    publish.ovsdb({ kind: 'state', database: 'OVN_Southbound', state: 'ready' });
    expect(conditions.unready()).toHaveLength(1);
    publish.ovsdb({ kind: 'state', database, state: 'ready' });
    expect(conditions.unready()).toEqual([]);
    publish.ovsdb({ kind: 'state', database: 'OVN_Southbound', state: 'connecting', cause: new Error('x') });
    expect(conditions.unready()).toEqual([]);
    publish.ovsdb({ kind: 'state', database, state: 'connecting', cause: new Error('closed by peer') });
    expect(conditions.unready()).toEqual(['OVN_Northbound is not connected: closed by peer']);
  });

  it('when its objects are listed; what it has listed it knows even if the watch breaks', () => {
    needing({ resources: ['pods', 'nodes'] });
    publish.cluster({ kind: 'listed', resource: 'pods', objects: 0 });
    expect(conditions.unready()).toEqual(['nodes are not listed yet']);
    publish.cluster({ kind: 'listed', resource: 'nodes', objects: 0 });
    publish.cluster({ kind: 'watch-ended', resource: 'nodes', reason: 'broken' });
    expect(conditions.unready()).toEqual([]);
  });

  it('when it has read its manifests once', () => {
    needing({ manifests: true });
    publish.master({ kind: 'status', status: masterStatus({ generation: 0 }) });
    expect(conditions.unready()).toEqual(['the manifests are not read yet']);
    publish.master({ kind: 'status', status: masterStatus({ generation: 1 }) });
    expect(conditions.unready()).toEqual([]);
  });

  it('when it leads or stands by', () => {
    needing({ lease: true });
    expect(conditions.unready()).toEqual(['the Lease is not known yet']);
    publish.cluster({ kind: 'lease', holds: false, term: 3 });
    expect(conditions.unready()).toEqual([]);
    publish.cluster({ kind: 'lease-failed', reason: 'no route' });
    expect(conditions.unready()).toEqual(['the Lease cannot be read or written: no route']);
  });

  it('when pods can be attached', () => {
    needing({ cni: true });
    expect(conditions.unready()).toEqual(['pods cannot be attached yet']);
    publish.node({ kind: 'readiness', problem: undefined });
    expect(conditions.unready()).toEqual([]);
    publish.node({ kind: 'readiness', problem: 'there is no br-int' });
    expect(conditions.unready()).toEqual(['pods cannot be attached: there is no br-int']);
  });
});

describe('a process is dead', () => {
  it('when a loop that spoke before is silent for a quarter of an hour', () => {
    needing({ resources: ['pods'] });
    now = 60 * MINUTE;
    expect(conditions.dead()).toEqual([]);
    publish.cluster({ kind: 'watch-event', resource: 'pods', type: 'BOOKMARK' });
    publish.cluster({ kind: 'lease-failed', reason: 'no route' });
    now += 15 * MINUTE;
    expect(conditions.dead()).toEqual([]);
    publish.cluster({ kind: 'lease', holds: false, term: 1 });
    now += MINUTE;
    expect(conditions.dead()).toEqual(['nothing was heard of the watch of pods for 960 s']);
  });

  it('not while it goes on trying', () => {
    needing({ resources: ['pods'] });
    publish.cluster({ kind: 'listed', resource: 'pods', objects: 1 });
    now += 14 * MINUTE;
    publish.cluster({ kind: 'request', method: 'GET', resource: 'pods', code: 0, seconds: 30 });
    publish.cluster({ kind: 'request', method: 'PATCH', resource: 'pods/status', code: 0, seconds: 30 });
    now += 14 * MINUTE;
    expect(conditions.dead()).toEqual([]);
    now += 2 * MINUTE;
    expect(conditions.dead()).toHaveLength(1);
  });

  it('when the addresses lead to no such database, which no waiting mends', () => {
    needing({ databases: ['OVN_Southbound'] });
    publish.ovsdb({
      kind: 'state',
      database: 'OVN_Southbound',
      state: 'failed',
      cause: new Error('it has only OVN_Northbound'),
    });
    expect(conditions.dead()).toEqual(['OVN_Southbound: it has only OVN_Northbound']);
  });
});
