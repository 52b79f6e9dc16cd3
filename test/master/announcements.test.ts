import { describe, expect, it } from '@jest/globals';
import type { Log } from '../../src/contracts/log.ts';
import { Announcements } from '../../src/master/announcements.ts';

function recorder(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = [];
  const add = (fields: object, message: string) => lines.push(`${message} ${JSON.stringify(fields)}`);
  return { log: { debug: add, info: add, warn: add, error: add }, lines };
}

describe('announcements', () => {
  it('say each refusal, policy and kind once, and again when it comes back', () => {
    const { log, lines } = recorder();
    const announcements = new Announcements(log);
    const quiet = { refused: [], unenforced: [], ignored: {} };
    const loud = {
      refused: [{ object: 'Pod a/b', reason: 'no' }],
      unenforced: ['NetworkPolicy a/c'],
      ignored: { Deployment: 2 },
    };
    for (const status of [loud, { ...loud, ignored: { Deployment: 3 } }, quiet, loud])
      announcements.update(status);
    const once = [
      'no {"object":"Pod a/b"}',
      'policies are not enforced yet {"object":"NetworkPolicy a/c"}',
      'objects of this kind are ignored {"kind":"Deployment","count":2}',
    ];
    expect(lines).toEqual([...once, ...once]);
  });
});
