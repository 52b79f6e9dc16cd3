import { afterEach, describe, expect, it } from '@jest/globals';
import { ApiError, type ApiRequest } from '../../../src/cluster/api/types.ts';
import { Election, type ElectionOptions, LEASE_TIMING } from '../../../src/cluster/lease/index.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeLeaseServer, type Weather } from '../../support/fake-lease-api.ts';

const running: Election[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map(election => election.release()));
});

/** Lets all happen that needs no time. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve));
}

class Cluster {
  readonly clock = new FakeClock();
  readonly server = new FakeLeaseServer();
  readonly warnings: string[] = [];

  candidate(identity: string, weather?: Partial<Weather>, options: Partial<ElectionOptions> = {}): Election {
    const warn = (fields: object, message: string) => {
      this.warnings.push(`${message}: ${'reason' in fields ? fields.reason : ''}`);
    };
    const election = new Election({
      ...{ api: this.server.client(weather), namespace: 'kube-northbound', name: 'kube-northbound-test' },
      ...{ identity, clock: this.clock, random: () => 0 },
      log: { debug() {}, info() {}, warn, error() {} },
      ...options,
    });
    running.push(election);
    return election;
  }

  async start(identity: string, weather?: Partial<Weather>): Promise<Election> {
    const election = this.candidate(identity, weather);
    election.start();
    await settle();
    return election;
  }

  async pass(seconds: number): Promise<void> {
    for (let ms = 0; ms < seconds * 1000; ms += 500) {
      this.clock.advance(500);
      await settle();
    }
  }
}

/** What one client can be made to meet. */
class Fault implements Weather {
  error: ApiError | undefined;
  loseAnswers = false;
  hold: Promise<void> | undefined;

  async before(): Promise<void> {
    await this.hold;
    if (this.error) throw this.error;
  }

  async after({ method }: ApiRequest): Promise<void> {
    if (this.loseAnswers && method !== 'GET') throw new ApiError('connection reset', { status: 0 });
  }
}

const unreachable = new ApiError('connection refused', { status: 0 });

describe('an election', () => {
  it('makes the Lease where there is none, and leads', async () => {
    const cluster = new Cluster();
    const a = await cluster.start('a');
    expect(a.term).toBe(1);
    expect(cluster.server.spec()).toMatchObject({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      leaseTransitions: 1,
      acquireTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      renewTime: expect.stringMatching(/\.\d{6}Z$/),
    });
  });

  it('renews as long as it leads, and keeps its term', async () => {
    const cluster = new Cluster();
    const a = await cluster.start('a');
    await cluster.pass(60);
    expect(a.term).toBe(1);
    expect(cluster.server.written).toHaveLength(31);
    expect(cluster.server.spec()).toMatchObject({ leaseTransitions: 1 });
  });

  it('leaves the Lease to another as long as it changes, whatever times it names', async () => {
    const cluster = new Cluster();
    const a = await cluster.start('a');
    const b = await cluster.start('b');
    cluster.server.edit({ renewTime: '1970-01-01T00:00:00.000000Z' });
    await cluster.pass(40);
    expect([a.term, b.term]).toEqual([1, undefined]);
    expect(b.holder).toBe('a');
  });

  it('takes an expired Lease over by its own clock, under the next term', async () => {
    const cluster = new Cluster();
    const fault = new Fault();
    const a = await cluster.start('a', fault);
    const b = await cluster.start('b');
    cluster.server.edit({ renewTime: '2999-01-01T00:00:00.000000Z' });
    fault.error = unreachable;
    await cluster.pass(14.5);
    expect(b.term).toBeUndefined();
    await cluster.pass(1);
    expect(b.term).toBe(2);
    expect(a.term).toBeUndefined();
    expect(cluster.server.spec()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 2 });
  });

  it('waits as long as the Lease says, not as long as it would itself', async () => {
    const cluster = new Cluster();
    const fault = new Fault();
    await cluster.start('a', fault);
    cluster.server.edit({ leaseDurationSeconds: 60 });
    fault.error = unreachable;
    const b = await cluster.start('b');
    await cluster.pass(59);
    expect(b.term).toBeUndefined();
    await cluster.pass(2);
    expect(b.term).toBe(2);
  });

  it('stops leading the moment the renew deadline passes, though the API server is silent', async () => {
    const cluster = new Cluster();
    const fault = new Fault();
    const a = await cluster.start('a', fault);
    let told = 0;
    a.onChange(() => {
      told += 1;
    });
    let answer = () => {};
    fault.hold = new Promise(resolve => {
      answer = resolve;
    });
    await cluster.pass(9.5);
    expect(a.term).toBe(1);
    cluster.clock.advance(500);
    expect(a.term).toBeUndefined();
    expect(told).toBe(1);
    expect(cluster.warnings.join()).toContain('not renewed in time');
    answer();
    await cluster.pass(3);
    expect(a.term).toBe(2);
  });

  it('counts the deadline from when it asked, not from when it was answered', async () => {
    const cluster = new Cluster();
    const fault = new Fault();
    let answer = () => {};
    fault.hold = new Promise(resolve => {
      answer = resolve;
    });
    const a = await cluster.start('a', {
      after: request => (request.method === 'POST' ? fault.before() : Promise.resolve()),
    });
    const terms: unknown[] = [];
    a.onChange(() => terms.push(a.term));
    await cluster.pass(11);
    answer();
    await settle();
    expect(terms.filter(term => term !== undefined)).toEqual([2]);
  });

  it('knows by the clock that it lost the lease, before any timer could say so', async () => {
    const cluster = new Cluster();
    let now = 0;
    const a = cluster.candidate('a', undefined, { clock: { now: () => now, after: () => () => {} } });
    a.start();
    await settle();
    expect(a.term).toBe(1);
    now = 10_000;
    expect(a.term).toBeUndefined();
  });

  it('goes on leading after a renewal whose answer was lost', async () => {
    const cluster = new Cluster();
    const fault = new Fault();
    const a = await cluster.start('a', fault);
    fault.loseAnswers = true;
    await cluster.pass(3);
    fault.loseAnswers = false;
    await cluster.pass(20);
    expect(a.term).toBe(1);
  });

  it('does not believe to lead where the answer to its take-over was lost, and asks again', async () => {
    const cluster = new Cluster();
    const fault = new Fault();
    fault.loseAnswers = true;
    const a = await cluster.start('a', fault);
    expect(cluster.server.spec()).toMatchObject({ holderIdentity: 'a' });
    expect(a.term).toBeUndefined();
    fault.loseAnswers = false;
    await cluster.pass(3);
    expect(a.term).toBe(2);
  });

  it.each(['its holder is another one', 'it is gone'])('stops leading when it sees that %s', async what => {
    const cluster = new Cluster();
    const a = await cluster.start('a');
    if (what === 'it is gone') cluster.server.remove();
    else cluster.server.edit({ holderIdentity: 'somebody' });
    await cluster.pass(2);
    expect(a.term).toBeUndefined();
  });

  it('makes a deleted Lease again, under a higher term', async () => {
    const cluster = new Cluster();
    const a = await cluster.start('a');
    cluster.server.edit({ leaseTransitions: 7 });
    await cluster.pass(2);
    cluster.server.remove();
    await cluster.pass(5);
    expect(a.term).toBe(8);
  });

  it('gives the Lease back, and another one leads at once', async () => {
    const cluster = new Cluster();
    const a = await cluster.start('a');
    const b = await cluster.start('b');
    const released = a.release();
    expect(a.term).toBeUndefined();
    await released;
    await settle();
    expect(b.term).toBe(2);
  });

  it('takes an empty Lease without a watch, too, at its next look', async () => {
    const cluster = new Cluster();
    const a = await cluster.start('a');
    const api = cluster.server.client();
    const blind = { request: api.request, stream: () => Promise.reject(unreachable) };
    const b = cluster.candidate('b', undefined, { api: blind });
    b.start();
    await settle();
    await a.release();
    await cluster.pass(2);
    expect(b.term).toBe(2);
  });

  it('leaves a Lease alone when it stands down that is not its own', async () => {
    const cluster = new Cluster();
    const a = await cluster.start('a');
    const b = await cluster.start('b');
    await b.release();
    expect(a.term).toBe(1);
    expect(cluster.server.spec()).toMatchObject({ holderIdentity: 'a' });
  });

  it('raises its term above another one without a pause', async () => {
    const cluster = new Cluster();
    const a = await cluster.start('a');
    a.exceed(41);
    await settle();
    expect(a.term).toBe(42);
    expect(cluster.server.spec()).toMatchObject({ holderIdentity: 'a', leaseTransitions: 42 });
    a.exceed(3);
    await cluster.pass(4);
    expect(a.term).toBe(42);
  });

  it('keeps what others have in the Lease', async () => {
    const cluster = new Cluster();
    await cluster.start('a');
    cluster.server.edit({ preferredHolder: 'x' });
    await cluster.pass(4);
    expect(cluster.server.spec()).toMatchObject({ preferredHolder: 'x', holderIdentity: 'a' });
  });

  it.each([
    [404, 'create the namespace kube-northbound'],
    [403, 'grant get, create, update and watch on leases.coordination.k8s.io'],
    [401, 'check the credentials'],
    [0, 'not to be reached'],
    [500, 'no luck'],
  ])('says once what an error %i means, and goes on when it is over', async (status, words) => {
    const cluster = new Cluster();
    const fault = new Fault();
    fault.error = new ApiError('no luck', { status });
    const b = await cluster.start('b', fault);
    await cluster.pass(10);
    expect(cluster.warnings.filter(text => text.includes(words))).toHaveLength(1);
    expect(b.trouble).toContain(words);
    fault.error = undefined;
    await cluster.pass(5);
    expect(b.term).toBe(1);
    expect(b.trouble).toBeUndefined();
  });

  it('waits as long as the server asks', async () => {
    const cluster = new Cluster();
    const requests: number[] = [];
    const busy = new ApiError('too many', { status: 429, retryAfter: 4_000 });
    await cluster.start('a', {
      before: async ({ query }) => {
        if (!query) requests.push(cluster.clock.now());
        throw busy;
      },
    });
    await cluster.pass(9);
    expect(requests).toEqual([0, 4_000, 8_000]);
  });

  it.each([
    [{ duration: 1_500 }, 'whole seconds'],
    [{ renewDeadline: 15_000 }, 'renew deadline'],
    [{ retryPeriod: 6_000 }, 'retry period'],
  ])('refuses times with which it cannot work: %j', (times, words) => {
    const cluster = new Cluster();
    expect(() => cluster.candidate('a', undefined, { timing: { ...LEASE_TIMING, ...times } })).toThrow(words);
  });
});
