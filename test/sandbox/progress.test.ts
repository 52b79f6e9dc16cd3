import { describe, expect, it } from '@jest/globals';
import { isSettled, missingPods } from '../../src/sandbox/pods/await-pods.ts';
import type { PodProgress, RunnerStatus } from '../../src/sandbox/pods/runner-status.ts';

const progress = (name: string, state: PodProgress['state'], problem?: string): PodProgress => ({
  namespace: 'shop',
  name,
  node: 'n-a',
  state,
  ...(problem === undefined ? {} : { problem }),
});

const status = (...pods: PodProgress[]): RunnerStatus => ({ generation: 1, synced: true, pods });
const refused = [{ object: 'Pod shop/twin', reason: 'its address is taken' }];

describe('what "up" waits for', () => {
  it('is every pod', () => {
    expect(isSettled(undefined, [])).toBe(false);
    expect(isSettled({ ...status(), generation: 0 }, [])).toBe(false);
    expect(isSettled(status(), [])).toBe(true);
    expect(isSettled(status(progress('a', 'ready'), progress('b', 'waiting')), [])).toBe(false);
    expect(isSettled(status(progress('a', 'ready'), progress('b', 'leaving')), [])).toBe(false);
    expect(isSettled(status(progress('a', 'ready'), progress('b', 'ready')), [])).toBe(true);
  });

  it('is not a pod that the master refuses', () => {
    expect(isSettled(status(progress('twin', 'waiting')), refused)).toBe(true);
    expect(isSettled(status(progress('twin', 'waiting'), progress('a', 'waiting')), refused)).toBe(false);
  });

  it('is told by name, with the best reason there is', () => {
    const pods = [
      progress('a', 'ready'),
      progress('b', 'waiting'),
      progress('c', 'waiting', 'no socket'),
      progress('twin', 'waiting', 'try again'),
    ];
    expect(missingPods(status(...pods), refused)).toEqual([
      'Pod shop/b on n-a is not ready: it is still being attached',
      'Pod shop/c on n-a is not ready: no socket',
      'Pod shop/twin on n-a is not ready: its address is taken',
    ]);
    expect(missingPods(undefined, [])).toEqual(['the runner has not read the manifests yet']);
  });
});
