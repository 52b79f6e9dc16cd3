import { describe, expect, it } from '@jest/globals';
import { SharedTexts } from '../../src/cluster/shared-texts.ts';

describe('shared texts', () => {
  it('remember what is as short as names and labels, and nothing longer', () => {
    const texts = new SharedTexts();
    const [short, long] = ['a'.repeat(200), 'a'.repeat(201)];
    expect([texts.share(short), texts.share(long)]).toEqual([short, long]);
    expect(texts.size).toBe(1);
  });

  it('are at most 1,000 at a time', () => {
    const texts = new SharedTexts();
    for (let count = 0; count < 1_001; count++) texts.share(`text ${count}`);
    expect(texts.size).toBe(1);
  });
});
