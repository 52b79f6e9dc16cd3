import { describe, expect, it } from '@jest/globals';
import { limited } from '../../src/node/system/limited.ts';
import { CommandError } from '../../src/node/system/run.ts';

describe('programs at the same time', () => {
  it('are bounded, start in the order in which they came, and all get their turn', async () => {
    const started: string[] = [];
    const ends: (() => void)[] = [];
    let running = 0;
    let most = 0;
    const run = limited(async ([name]) => {
      started.push(name);
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>(resolve => ends.push(resolve));
      running -= 1;
      return name;
    }, 3);
    const names = Array.from({ length: 20 }, (_, index) => `p${index}`);
    const results = names.slice(0, 10).map(name => run([name]));
    for (let done = 0; done < names.length; done += 1) {
      // Some come while others wait.
      const late = names[10 + done];
      if (late !== undefined) results.push(run([late]));
      ends.shift()?.();
      await new Promise(resolve => setImmediate(resolve));
    }
    expect(await Promise.all(results)).toEqual(names);
    expect(started).toEqual(names);
    expect(most).toBe(3);
  });

  it('give their place back where they fail', async () => {
    let attempt = 0;
    const run = limited(async () => {
      attempt += 1;
      if (attempt === 1) throw new CommandError('no');
      return 'yes';
    }, 1);
    const [first, second] = await Promise.allSettled([run(['a']), run(['b'])]);
    expect([first.status, second.status]).toEqual(['rejected', 'fulfilled']);
    expect(await run(['c'])).toBe('yes');
  });
});
