import { describe, expect, it } from '@jest/globals';
import { Backoff } from '../../../src/cluster/watch/backoff.ts';

describe('pauses', () => {
  it('double, up to ten seconds, and start over once something works', () => {
    const backoff = new Backoff(() => 0);
    expect(Array.from({ length: 7 }, () => backoff.next())).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
    backoff.reset();
    expect(backoff.next()).toBe(250);
  });

  it('are spread over half of their length', () => {
    const backoff = new Backoff(() => 0.5);
    expect(backoff.next()).toBe(375);
  });

  it('come on top of what the server asks for', () => {
    expect(new Backoff(() => 0).next(7000)).toBe(7250);
  });

  it('stay the longest, however often something fails', () => {
    const backoff = new Backoff(() => 1);
    for (let count = 0; count < 5000; count++) backoff.next();
    expect(backoff.next()).toBe(10_000);
  });
});
