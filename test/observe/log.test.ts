import { describe, expect, it } from '@jest/globals';
import { createLog, LOG_LEVELS, type LogLevel } from '../../src/observe/log.ts';

function logged(level: LogLevel, human: boolean) {
  const lines: string[] = [];
  return { log: createLog({ level, human, write: line => lines.push(line) }), lines };
}

describe('the log', () => {
  it('writes JSON lines', () => {
    const { log, lines } = logged('info', false);
    log.info({ pods: 3, object: 'Pod a/b' }, 'synced');
    log.error({ error: new Error('broken') }, 'no connection');
    expect(lines.every(line => line.endsWith('\n'))).toBe(true);
    const [info, error] = lines.map(line => JSON.parse(line));
    expect(info).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/),
      pods: 3,
      object: 'Pod a/b',
      msg: 'synced',
    });
    expect(error).toMatchObject({ level: 'error', error: { message: 'broken', stack: expect.any(String) } });
  });

  it('writes short lines for people', () => {
    const { log, lines } = logged('debug', true);
    log.warn(
      { pods: 3, object: 'Pod a/b', empty: '', list: [1, 2], error: new Error('too late') },
      'not synced',
    );
    log.debug({}, 'plain');
    expect(lines[0]).toMatch(
      /^\d\d:\d\d:\d\d WARN {2}not synced pods=3 object="Pod a\/b" empty="" list=\[1,2\] error="too late"\n$/,
    );
    expect(lines[1]).toMatch(/^\d\d:\d\d:\d\d DEBUG plain\n$/);
  });

  it('lets nobody write lines or colours of their own', () => {
    for (const human of [true, false]) {
      const { log, lines } = logged('info', human);
      log.info({ name: 'a\nb\u001b[31m' }, 'x\ny\u001b[31m\u009b');
      expect(lines).toHaveLength(1);
      expect(lines[0]?.slice(0, -1)).not.toMatch(human ? /\p{Cc}/u : /\n|\p{Cc}\[/u);
    }
  });

  it.each(LOG_LEVELS.map((level, index) => [level, 4 - index] as const))(
    'at level %s writes %i of four',
    (level, count) => {
      const { log, lines } = logged(level, false);
      log.debug({}, 'd');
      log.info({}, 'i');
      log.warn({}, 'w');
      log.error({}, 'e');
      expect(lines).toHaveLength(count);
    },
  );
});
