import { describe, expect, it } from '@jest/globals';
import { ApiError } from '../../../src/cluster/api/types.ts';
import { WriteQueue, type WriteResult } from '../../../src/cluster/write/write-queue.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const CONFIRM_WITHIN = 30_000;

/** A queue of texts and what becomes of it, with every answer given by hand. */
class Bench {
  readonly clock = new FakeClock();
  readonly sent: string[] = [];
  readonly results: string[] = [];
  readonly words: string[] = [];
  readonly signals: AbortSignal[] = [];
  leads = true;
  readonly queue: WriteQueue<string>;
  #open: { resolve: () => void; reject: (error: Error) => void }[] = [];

  constructor(limits: { readonly burst?: number; readonly concurrency?: number } = {}) {
    const say = (fields: object, message: string) => this.words.push(`${message} ${JSON.stringify(fields)}`);
    this.queue = new WriteQueue<string>({
      what: 'texts',
      isSame: (a, b) => a === b,
      send: (wish, signal) => {
        this.sent.push(wish);
        this.signals.push(signal);
        return new Promise((resolve, reject) => this.#open.push({ resolve, reject }));
      },
      mayWrite: () => this.leads,
      clock: this.clock,
      random: () => 0,
      log: { debug: () => undefined, info: say, warn: say, error: say },
      rate: { perSecond: 10, burst: limits.burst ?? 100 },
      concurrency: limits.concurrency ?? 100,
      confirmWithin: CONFIRM_WITHIN,
      onDepth: () => undefined,
      onResult: (wish: string, result: WriteResult) => this.results.push(`${wish} ${result}`),
    });
    this.queue.start();
  }

  /** Answers the oldest open request, or all. */
  async answer(
    error?: { readonly status: number; readonly retryAfter?: number },
    all = false,
  ): Promise<void> {
    for (const { resolve, reject } of this.#open.splice(0, all ? this.#open.length : 1)) {
      if (error) reject(new ApiError(`status ${error.status}`, error));
      else resolve();
    }
    await this.pass(0);
  }

  /** Time goes on, and what follows at once happens. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    for (let turn = 0; turn < 5; turn++) {
      await Promise.resolve();
      this.clock.advance(0);
    }
  }

  /** The texts that were sent since the last call. */
  news(): string[] {
    return this.sent.splice(0);
  }
}

describe('a queue of writes', () => {
  it('writes the newest wish, once, until its effect is seen', async () => {
    const bench = new Bench();
    bench.queue.set('k', 'old');
    bench.queue.set('k', 'new');
    await bench.pass(0);
    bench.queue.set('k', 'new');
    await bench.answer();
    await bench.pass(CONFIRM_WITHIN - 1);
    expect(bench.news()).toEqual(['new']);
    expect(bench.queue.depth).toBe(0);
    await bench.pass(1);
    expect(bench.news()).toEqual(['new']);
    bench.queue.delete('k');
    await bench.answer();
    await bench.pass(10 * CONFIRM_WITHIN);
    expect(bench.news()).toEqual([]);
  });

  it('writes again soon what is still wished for after it was done', async () => {
    const bench = new Bench();
    bench.queue.set('k', 'new');
    await bench.pass(0);
    await bench.answer();
    for (let turn = 0; turn < 4; turn++) {
      bench.queue.set('k', 'new');
      await bench.pass(249);
    }
    expect(bench.news()).toEqual(['new']);
    await bench.pass(4);
    expect(bench.news()).toEqual(['new']);
  });

  it('writes again what changed while it was written', async () => {
    const bench = new Bench();
    bench.queue.set('k', 'a');
    await bench.pass(0);
    bench.queue.set('k', 'b');
    await bench.pass(0);
    expect(bench.news()).toEqual(['a']);
    await bench.answer();
    expect(bench.news()).toEqual(['b']);
  });

  it('drops what is withdrawn before its turn', async () => {
    const bench = new Bench({ concurrency: 1 });
    for (const key of ['a', 'b', 'c']) bench.queue.set(key, key);
    await bench.pass(0);
    bench.queue.delete('b');
    expect(bench.queue.depth).toBe(2);
    await bench.answer();
    expect(bench.news()).toEqual(['a', 'c']);
  });

  it('has so many under way at once and no more, and so many in a second', async () => {
    const bench = new Bench({ concurrency: 3, burst: 4 });
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) bench.queue.set(key, key);
    await bench.pass(0);
    expect(bench.news()).toEqual(['a', 'b', 'c']);
    await bench.answer(undefined, true);
    expect(bench.news()).toEqual(['d']);
    await bench.pass(99);
    expect(bench.news()).toEqual([]);
    await bench.pass(1);
    await bench.pass(100);
    expect(bench.news()).toEqual(['e', 'f']);
    expect(bench.queue.depth).toBe(3);
  });

  it.each([0, 429, 500, 503, 504])(
    'stops for a while after status %d, as a whole, and longer the next time',
    async status => {
      const bench = new Bench();
      bench.queue.set('a', 'a');
      await bench.pass(0);
      await bench.answer({ status });
      bench.queue.set('b', 'b');
      await bench.pass(249);
      expect(bench.news()).toEqual(['a']);
      await bench.pass(1);
      expect(bench.news()).toEqual(['b', 'a'].sort());
      await bench.answer({ status }, true);
      await bench.pass(499);
      expect(bench.news()).toEqual([]);
      await bench.pass(1);
      await bench.answer(undefined, true);
      expect(bench.news()).toEqual(['a', 'b']);
      expect(bench.results).toEqual(['a retried', 'a retried', 'b retried', 'a done', 'b done']);
      expect(bench.words).toEqual([
        `texts cannot be written now {"reason":"status ${status}","waiting":1}`,
        'texts can be written again {"waiting":2}',
      ]);
    },
  );

  it('waits as long as the server asks', async () => {
    const bench = new Bench();
    bench.queue.set('a', 'a');
    await bench.pass(0);
    await bench.answer({ status: 429, retryAfter: 7_000 });
    await bench.pass(7_249);
    expect(bench.news()).toEqual(['a']);
    await bench.pass(1);
    expect(bench.news()).toEqual(['a']);
  });

  it('tries one object again after a conflict, while the others go on', async () => {
    const bench = new Bench();
    bench.queue.set('a', 'a');
    await bench.pass(0);
    await bench.answer({ status: 409 });
    bench.queue.set('b', 'b');
    await bench.pass(0);
    expect(bench.news()).toEqual(['a', 'b']);
    await bench.pass(250);
    expect(bench.news()).toEqual(['a']);
    await bench.answer();
    await bench.answer({ status: 409 });
    await bench.pass(499);
    expect(bench.news()).toEqual([]);
    bench.queue.set('a', 'newer');
    await bench.pass(0);
    expect(bench.news()).toEqual(['newer']);
  });

  it.each([404, 403, 400, 422])(
    'gives up after status %d, until the wish changes or it starts anew',
    async status => {
      const bench = new Bench();
      for (const key of ['a', 'b']) bench.queue.set(key, key);
      await bench.pass(0);
      await bench.answer({ status }, true);
      bench.queue.set('a', 'a');
      await bench.pass(100 * CONFIRM_WITHIN);
      expect(bench.news()).toEqual(['a', 'b']);
      expect(bench.queue.depth).toBe(0);
      // Once for all of them: what is missing is a right.
      const told = [
        'the API server refuses texts; given up {"object":"a","reason":"status 403"}'.replace(
          '403',
          String(status),
        ),
      ];
      expect(bench.words).toEqual(status === 404 ? [] : told);
      bench.queue.set('b', 'better');
      await bench.pass(0);
      expect(bench.news()).toEqual(['better']);
      await bench.answer();
      bench.queue.stop();
      bench.queue.start();
      await bench.pass(0);
      expect(bench.news()).toEqual(['a', 'better']);
    },
  );

  it('writes nothing while it is stopped, and breaks off what is under way', async () => {
    const bench = new Bench({ concurrency: 1 });
    for (const key of ['a', 'b']) bench.queue.set(key, key);
    await bench.pass(0);
    bench.queue.stop();
    expect(bench.signals.map(({ aborted }) => aborted)).toEqual([true]);
    await bench.answer({ status: 0 });
    bench.queue.set('c', 'c');
    await bench.pass(100 * CONFIRM_WITHIN);
    expect(bench.news()).toEqual(['a']);
    expect(bench.queue.depth).toBe(0);
    bench.queue.delete('a');
    bench.queue.start();
    await bench.pass(0);
    await bench.answer();
    expect(bench.news()).toEqual(['b', 'c']);
  });

  it('asks before each write whether it may', async () => {
    const bench = new Bench({ concurrency: 1 });
    for (const key of ['a', 'b']) bench.queue.set(key, key);
    await bench.pass(0);
    bench.leads = false;
    await bench.answer();
    await bench.pass(100);
    expect(bench.news()).toEqual(['a']);
  });
});
