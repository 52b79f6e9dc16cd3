import { describe, expect, it } from '@jest/globals';
import type { Sighting } from '../../src/cluster/manifest-files.ts';
import { RestingChanges } from '../../src/cluster/manifest-rest.ts';

/** Sightings of files whose signature is the time of their last change. */
const seen = (files: Readonly<Record<string, number>>): ReadonlyMap<string, Sighting> =>
  new Map(
    Object.entries(files).map(([file, changed]) => [
      file,
      { signature: String(changed), fault: undefined, changed, rank: file },
    ]),
  );

/** Looks at `now` at files of which all differ from what was taken. */
function look(changes: RestingChanges, now: number, files: Readonly<Record<string, number>>) {
  changes.note(Object.keys(files), seen(files), now);
  return changes.due(now);
}

describe('resting changes', () => {
  it('at the start are due at once where they are old, also when there are none', () => {
    expect(look(new RestingChanges(), 5000, { a: 4800, b: 1 })).toEqual({
      paths: ['a', 'b'],
      overdue: false,
    });
    expect(look(new RestingChanges(), 5000, {})).toEqual({ paths: [], overdue: false });
  });

  it('at the start wait for files that are being written, and then take all of them', () => {
    const changes = new RestingChanges();
    for (let now = 5000; now < 6000; now += 100) expect(look(changes, now, { a: 1, b: now })).toBeUndefined();
    expect(look(changes, 6000, { a: 1, b: 6000 })).toEqual({ paths: ['a', 'b'], overdue: true });
  });

  it('at the start do not mind a clock that is ahead', () => {
    const changes = new RestingChanges();
    expect(look(changes, 5000, { a: 99_000 })).toBeUndefined();
    expect(look(changes, 5200, { a: 99_000 })).toEqual({ paths: ['a'], overdue: false });
  });

  it('later rest since they were seen, whatever their own time', () => {
    const changes = new RestingChanges();
    look(changes, 5000, {});
    changes.forget([]);
    expect(look(changes, 5100, { a: 1 })).toBeUndefined();
    expect(look(changes, 5299, { a: 1 })).toBeUndefined();
    expect(look(changes, 5300, { a: 1 })).toEqual({ paths: ['a'], overdue: false });
    changes.forget(['a']);
    expect(look(changes, 5400, {})).toBeUndefined();
  });

  it('are forgotten when a file is again what it was', () => {
    const changes = new RestingChanges();
    look(changes, 5000, {});
    changes.forget([]);
    look(changes, 5100, { a: 5100 });
    look(changes, 5200, {});
    expect(look(changes, 5300, { a: 5100 })).toBeUndefined();
    expect(look(changes, 5500, { a: 5100 })).toEqual({ paths: ['a'], overdue: false });
  });
});
