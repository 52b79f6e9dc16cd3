import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fillCache } from '../../src/sandbox/cache.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'knb-cache-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Makes a folder with one file, after `before`. */
const holding = (text: string, before: Promise<void> = Promise.resolve()) => {
  return async (work: string) => {
    mkdirSync(join(work, 'made'));
    writeFileSync(join(work, 'made', 'file'), text);
    await before;
    return join(work, 'made');
  };
};
const content = () => readFileSync(join(folder, 'a', 'file'), 'utf8');

describe('a folder of the cache', () => {
  it('is the first one where two are made at once, and nothing else is left', async () => {
    let release: () => void = () => undefined;
    const slow = fillCache(join(folder, 'a'), holding('slow', new Promise(resolve => (release = resolve))));
    await fillCache(join(folder, 'a'), holding('fast'));
    release();
    await slow;
    expect(content()).toBe('fast');
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('is not there where it cannot be made', async () => {
    const fails = fillCache(join(folder, 'a'), () => Promise.reject(new Error('no network')));
    await expect(fails).rejects.toThrow('no network');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('takes away what killed runs left behind, not what others are making', async () => {
    const [dead, alive] = ['.b.4194305.1', `.b.${process.pid}.1`];
    for (const name of [dead, alive]) mkdirSync(join(folder, name));
    await fillCache(join(folder, 'a'), holding('text'));
    expect(readdirSync(folder).sort()).toEqual([alive, 'a'].sort());
  });
});
