import { describe, expect, it } from '@jest/globals';
import { RowQueue } from '../../src/ovsdb-state/row-queue.ts';
import { TrackedRow } from '../../src/ovsdb-state/tracked-row.ts';

const rows = (count: number) =>
  Array.from({ length: count }, (_, number) => new TrackedRow('T', `${number}`));

function drain(queue: RowQueue): readonly string[] {
  const keys: string[] = [];
  for (let row = queue.shift(); row; row = queue.shift()) keys.push(row.key);
  return keys;
}

describe('RowQueue', () => {
  it('gives each row once, in the order in which they came', () => {
    const queue = new RowQueue();
    const [a, b, c] = rows(3);
    for (const row of [a, b, a, c]) if (row) queue.add(row);
    expect(drain(queue)).toEqual(['0', '1', '2']);
    expect(queue.isEmpty).toBe(true);
  });

  it('leaves out what was deleted, also what is next', () => {
    const queue = new RowQueue();
    const all = rows(4);
    for (const row of all) queue.add(row);
    queue.shift();
    for (const row of [all[1], all[3]]) if (row) queue.delete(row);
    expect(drain(queue)).toEqual(['2']);
  });

  it('goes on with what comes while it is emptied, and after it was empty', () => {
    const queue = new RowQueue();
    const [a, b] = rows(2);
    if (!a || !b) throw new Error('two rows were made');
    queue.add(a);
    queue.add(b);
    expect(queue.shift()).toBe(a);
    queue.add(a);
    expect(drain(queue)).toEqual(['1', '0']);
    queue.add(b);
    expect(queue.isEmpty).toBe(false);
    expect(drain(queue)).toEqual(['1']);
  });

  it('still finds the rows when more than half of many are gone', () => {
    const queue = new RowQueue();
    const all = rows(1_000);
    for (const row of all) queue.add(row);
    const keys: string[] = [];
    for (let count = 0; count < 900; count++) keys.push(queue.shift()?.key ?? 'none');
    for (const row of all.slice(950)) queue.delete(row);
    for (const row of all.slice(0, 10)) queue.add(row);
    keys.push(...drain(queue));
    expect(keys).toEqual([...all.slice(0, 950), ...all.slice(0, 10)].map(row => row.key));
  });
});
