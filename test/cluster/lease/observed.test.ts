import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ApiError } from '../../../src/cluster/api/types.ts';
import { Election } from '../../../src/cluster/lease/index.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeLeaseServer } from '../../support/fake-lease-api.ts';

const CHANNEL = 'kube-northbound:cluster';
let heard: unknown[] = [];
const hear = (event: unknown) => heard.push(event);

beforeEach(() => {
  heard = [];
  subscribe(CHANNEL, hear);
});
afterEach(() => {
  unsubscribe(CHANNEL, hear);
});

async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve));
}

describe('an election', () => {
  it('tells at each turn whether it leads, and at once when it does so no longer', async () => {
    const clock = new FakeClock();
    const server = new FakeLeaseServer();
    let error: ApiError | undefined;
    const before = async () => {
      if (error) throw error;
    };
    const election = new Election({
      ...{ api: server.client({ before }), namespace: 'a', name: 'b', identity: 'me', clock },
      log: { debug() {}, info() {}, warn() {}, error() {} },
    });
    election.start();
    await settle();
    expect(heard).toContainEqual({ kind: 'lease', holds: true, term: 1 });
    heard = [];
    clock.advance(2_000);
    await settle();
    expect(heard).toEqual([{ kind: 'lease', holds: true, term: 1 }]);
    heard = [];
    error = new ApiError('connection refused', { status: 0 });
    for (let second = 0; second < 12; second++) {
      clock.advance(1_000);
      await settle();
    }
    expect(heard).toContainEqual({
      kind: 'lease-failed',
      reason: 'the API server is not to be reached for the Lease a/b: connection refused',
    });
    expect(heard).toContainEqual({ kind: 'lease', holds: false, term: expect.any(Number) });
    await election.release();
  });
});
