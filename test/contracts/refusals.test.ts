import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { REFUSALS } from '../../src/contracts/refusals.ts';

describe('the words for refusals', () => {
  it('are all explained, and no others', () => {
    const text = readFileSync(join(__dirname, '../../docs/errors.md'), 'utf8');
    const [, section = ''] = text.split(/^## /m);
    const explained = section.split('\n').flatMap(line => /^\| `(\w+)` \|/.exec(line)?.[1] ?? []);
    expect(explained).toEqual([...REFUSALS]);
  });

  it('are what Kubernetes takes for the reason of an Event', () => {
    for (const word of REFUSALS) expect(word).toMatch(/^[A-Z][A-Za-z]{1,127}$/);
  });
});
