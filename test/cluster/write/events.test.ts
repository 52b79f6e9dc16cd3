import { describe, expect, it } from '@jest/globals';
import { isRaw } from '../../../src/cluster/facts/raw.ts';
import { EventRecorder, type Happening } from '../../../src/cluster/write/index.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ModelApi } from '../../support/model-api.ts';

const MINUTE = 60_000;
const silent = () => undefined;

class Bench {
  readonly api: ModelApi;
  readonly clock = new FakeClock();
  readonly recorder: EventRecorder;
  readonly errors: string[] = [];

  constructor(api = new ModelApi()) {
    this.api = api;
    this.recorder = new EventRecorder({
      api,
      instance: 'master-1',
      mayWrite: () => true,
      clock: this.clock,
      random: () => 0,
      log: { debug: silent, info: silent, warn: silent, error: (_, message) => this.errors.push(message) },
      onDepth: silent,
      date: () => new Date(Date.UTC(2026, 0, 1) + this.clock.now()),
    });
    this.recorder.start();
  }

  async update(...happenings: readonly Happening[]): Promise<void> {
    this.recorder.update(happenings);
    await this.pass(0);
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    for (let turn = 0; turn < 20; turn++) {
      await Promise.resolve();
      this.clock.advance(0);
    }
  }

  /** What the server shows, as `kubectl get events` does. */
  shown(): readonly string[] {
    return [...this.api.objects.values()].map(({ reason, note, series }) => {
      const count = isRaw(series) ? ` x${String(series.count)}` : '';
      return `${String(reason)}: ${String(note)}${count}`;
    });
  }

  sent(): number {
    return this.api.requests.splice(0).length;
  }
}

const full = (name: string, more: Partial<Happening> = {}): Happening => ({
  ...{
    kind: 'Pod',
    namespace: 'shop',
    name,
    uid: `uid-${name}`,
    reason: 'AddressesExhausted',
    note: 'it is full',
    isNew: false,
  },
  ...more,
});

describe('Events', () => {
  it('have the form of events.k8s.io/v1', async () => {
    const bench = new Bench();
    await bench.update(full('web'));
    const [path, event] = [...bench.api.objects][0] ?? [];
    expect(path).toMatch(/^\/apis\/events\.k8s\.io\/v1\/namespaces\/shop\/events\/web\.[0-9a-f]{16}$/);
    expect(event).toMatchObject({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { namespace: 'shop' },
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'kube-northbound-master',
      reportingInstance: 'master-1',
      action: 'Allocate',
      type: 'Warning',
      reason: 'AddressesExhausted',
      note: 'it is full',
      regarding: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web', uid: 'uid-web' },
    });
    await bench.update(full('a', { kind: 'Node', namespace: undefined }));
    const node = [...bench.api.objects].find(([key]) => key.includes('/default/'))?.[1];
    expect(node?.regarding).toEqual({ apiVersion: 'v1', kind: 'Node', name: 'a', uid: 'uid-a' });
  });

  it('fit the limits of names and notes, whatever the object and the words', async () => {
    const bench = new Bench();
    await bench.update(full(`${'n'.repeat(235)}-${'m'.repeat(17)}`, { note: 'ü'.repeat(600) }));
    const [event] = bench.api.objects.values();
    expect(event?.metadata).toMatchObject({ name: expect.stringMatching(/^n{235}\.[0-9a-f]{16}$/) });
    expect(Buffer.byteLength(String(event?.note))).toBeLessThanOrEqual(1024);
    expect(event?.note).toMatch(/^ü{500,}…$/);
  });

  it('say the same once, however often it is looked at', async () => {
    const bench = new Bench();
    for (let times = 0; times < 5; times++) await bench.update(full('web'), full('web'));
    expect(bench.shown()).toEqual(['AddressesExhausted: it is full']);
    expect(bench.sent()).toBe(1);
    await bench.update(full('web', { reason: 'Malformed', note: 'odd' }));
    expect(bench.shown()).toEqual(['AddressesExhausted: it is full', 'Malformed: odd']);
  });

  it('count what comes back, and what goes on for long', async () => {
    const bench = new Bench();
    await bench.update(full('web'));
    await bench.update();
    await bench.update(full('web'));
    expect(bench.shown()).toEqual(['AddressesExhausted: it is full x2']);
    await bench.pass(29 * MINUTE);
    await bench.update(full('web'));
    expect(bench.shown()).toEqual(['AddressesExhausted: it is full x2']);
    await bench.pass(MINUTE);
    await bench.update(full('web'));
    expect(bench.shown()).toEqual(['AddressesExhausted: it is full x3']);
    expect([...bench.api.objects.values()][0]?.series).toMatchObject({
      lastObservedTime: '2026-01-01T00:30:00.000000Z',
    });
  });

  it('count what has begun again between two looks', async () => {
    const bench = new Bench();
    await bench.update(full('web', { isNew: true }), full('web'));
    expect(bench.shown()).toEqual(['AddressesExhausted: it is full']);
    await bench.update(full('web', { isNew: true }), full('web'));
    await bench.update(full('web'));
    expect(bench.shown()).toEqual(['AddressesExhausted: it is full x2']);
  });

  it('are there anew where the server has forgotten them', async () => {
    const bench = new Bench();
    await bench.update(full('web'));
    bench.api.objects.clear();
    await bench.pass(30 * MINUTE);
    await bench.update(full('web'));
    expect(bench.shown()).toEqual(['AddressesExhausted: it is full']);
  });

  it('are not said twice by the next leader, nor after a lost answer', async () => {
    const bench = new Bench();
    bench.api.fates = [{ kind: 'lost', carriedOut: true }];
    await bench.update(full('web'));
    await bench.pass(MINUTE);
    expect(bench.shown()).toEqual(['AddressesExhausted: it is full']);
    await bench.update();
    await bench.update(full('web'));
    const next = new Bench(bench.api);
    await next.update(full('web'));
    expect(next.shown()).toEqual(['AddressesExhausted: it is full x2']);
    await next.update();
    await next.update(full('web'));
    expect(next.shown()).toEqual(['AddressesExhausted: it is full x3']);
  });

  it('are not said of what is over before their turn', async () => {
    const bench = new Bench();
    bench.recorder.stop();
    await bench.update(full('web'), full('gone'));
    await bench.update(full('web'));
    bench.recorder.start();
    await bench.pass(0);
    expect([...bench.api.objects.keys()].map(path => path.replace(/.*\//, '').split('.')[0])).toEqual([
      'web',
    ]);
  });

  it('come at a bounded rate, and for so many objects at a time', async () => {
    const bench = new Bench();
    const crowd = Array.from({ length: 3_000 }, (_, n) => full(`p${n}`));
    await bench.update(...crowd);
    await bench.pass(0);
    expect(bench.sent()).toBeLessThanOrEqual(50);
    expect(bench.recorder.depth).toBeLessThanOrEqual(2_000);
    await bench.pass(1_000);
    expect(bench.sent()).toBeLessThanOrEqual(61);
    await bench.update();
    expect(bench.recorder.depth).toBe(0);
  });

  it.each([
    ['for want of a right', 'forbidden', 1],
    ['in a namespace that is going', 'unable to create new content: it is being terminated', 0],
  ])('may be refused %s: tried again much later', async (_, message, words) => {
    const bench = new Bench();
    bench.api.fates = [{ kind: 'error', status: 403, message }];
    await bench.update(full('web'));
    await bench.update(full('web'));
    expect(bench.shown()).toEqual([]);
    expect(bench.errors).toHaveLength(words);
    await bench.pass(30 * MINUTE);
    await bench.update(full('web'));
    expect(bench.shown()).toEqual(['AddressesExhausted: it is full']);
  });
});
