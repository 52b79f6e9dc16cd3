import { describe, expect, it } from '@jest/globals';
import { ConnectionError, parseRemotes, WrongDatabaseError } from '../../src/ovsdb-client/index.ts';
import { Rotation } from '../../src/ovsdb-client/rotation.ts';

const remotes = parseRemotes('unix:a,unix:b', { defaultPort: 1 });
const gone = new ConnectionError('gone');
const wrong = new WrongDatabaseError('unix:a', 'Shop', []);

type Attempt = readonly [cause: Error, reached: boolean];

function rotation(): Rotation {
  return new Rotation(remotes, { minMs: 100, maxMs: 350 });
}

describe('the rotation of servers', () => {
  it('takes one after the other', () => {
    const servers = rotation();
    expect([servers.next(), servers.next(), servers.next()]).toEqual([remotes[0], remotes[1], remotes[0]]);
  });

  it('pauses after each round, twice as long each time, up to the greatest', () => {
    const servers = rotation();
    for (const longest of [100, 200, 350, 350]) {
      expect(servers.failed(gone, false)).toEqual({ waitMs: 0, isWrong: false });
      const { waitMs } = servers.failed(gone, true);
      expect(waitMs).toBeGreaterThanOrEqual(longest / 2);
      expect(waitMs).toBeLessThanOrEqual(longest);
    }
    servers.succeeded();
    expect(servers.failed(gone, true).waitMs).toBe(0);
    expect(servers.failed(gone, true).waitMs).toBeLessThanOrEqual(100);
  });

  it('pauses for different times, so that many clients do not come at once', () => {
    const waits = new Set(
      Array.from({ length: 20 }, () => {
        const servers = rotation();
        servers.failed(gone, true);
        return servers.failed(gone, true).waitMs;
      }),
    );
    expect(waits.size).toBeGreaterThan(1);
  });

  it.each<[string, Attempt, Attempt, boolean]>([
    ['all lack the database', [wrong, true], [wrong, true], true],
    ['one lacks it and one is not there', [gone, false], [wrong, true], true],
    ['one lacks it and one is reached', [wrong, true], [gone, true], false],
    ['none is there', [gone, false], [gone, false], false],
  ])('judges after a round: %s', (_, first, second, isWrong) => {
    const servers = rotation();
    expect(servers.failed(...first).isWrong).toBe(false);
    expect(servers.failed(...second).isWrong).toBe(isWrong);
  });

  it('judges every round by itself', () => {
    const servers = rotation();
    servers.failed(wrong, true);
    servers.failed(gone, true);
    servers.failed(wrong, true);
    expect(servers.failed(gone, false).isWrong).toBe(true);
  });
});
