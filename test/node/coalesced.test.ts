import { expect, it } from '@jest/globals';
import { Coalesced } from '../../src/node/coalesced.ts';

function gate() {
  let open = () => {};
  const closed = new Promise<void>(resolve => {
    open = resolve;
  });
  return { closed, open };
}

it('runs once more for any number of requests that came meanwhile, never two at a time', async () => {
  const first = gate();
  let runs = 0;
  let running = 0;
  const work = async () => {
    running += 1;
    expect(running).toBe(1);
    runs += 1;
    if (runs === 1) await first.closed;
    running -= 1;
  };
  const coalesced = new Coalesced(work, error => {
    throw error;
  });
  for (let i = 0; i < 5; i += 1) coalesced.request();
  expect(runs).toBe(1);
  first.open();
  while (runs < 2) await Promise.resolve();
  await coalesced.end();
  expect(runs).toBe(2);
});

it('tells of a failure and goes on', async () => {
  const failures: unknown[] = [];
  let runs = 0;
  const work = async () => {
    runs += 1;
    if (runs === 1) throw new Error('first');
  };
  const coalesced = new Coalesced(work, error => failures.push(error));
  coalesced.request();
  coalesced.request();
  while (runs < 2) await Promise.resolve();
  await coalesced.end();
  expect(failures).toEqual([new Error('first')]);
  coalesced.request();
  expect(runs).toBe(2);
});
