import { mkdirSync, rmSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ManifestSource } from '../../src/cluster/manifest-source.ts';
import { objectTitle } from '../../src/cluster/manifests.ts';
import { at, folder, pod, readOf, Steps, useFolder, watched, write } from './manifest-folder.ts';

useFolder();

describe('any bytes in a file', () => {
  it('never throw, and never delete what other files have', async () => {
    write({ 'a.yaml': pod('a'), 'b.yaml': pod('b') });
    const { settle } = await watched();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1 }), async bytes => {
        write({ 'b.yaml': bytes });
        for (const change of await settle()) {
          expect(change.deleted.filter(title => title !== 'Pod default/b')).toEqual([]);
          if (!change.synced) expect(change.deleted).toEqual([]);
        }
      }),
      { numRuns: 50 },
    );
    write({ 'b.yaml': pod('c') });
    await settle();
    expect((await readOf('')).titles).toEqual(['Pod default/a', 'Pod default/c']);
  });

  it('leave the outcome to the current files alone', async () => {
    const name = fc.constantFrom('a.yaml', 'b.yaml', 'c/d.yaml');
    const content = fc.oneof(
      fc.constantFrom(undefined, '', '[', 'kind: Pod'),
      fc
        .array(fc.constantFrom('p', 'q', 'r'), { minLength: 1, maxLength: 3 })
        .map(names => names.map(n => pod(n, `${names.length}`)).join('---\n')),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(name, content, fc.boolean()), { maxLength: 8 }), async edits => {
        rmSync(folder, { recursive: true });
        mkdirSync(folder);
        const steps = new Steps();
        const held = new Map<string, unknown>();
        const stop = new ManifestSource({ paths: [folder], clock: steps.clock }).watch(({ put, deleted }) => {
          for (const key of deleted) expect(held.delete(objectTitle(key))).toBe(true);
          for (const object of put) held.set(objectTitle(object), object.raw);
        });
        await steps.pass(0);
        for (const [file, text, wait] of edits) {
          if (text === undefined) rmSync(at(file), { force: true });
          else write({ [file]: text });
          if (wait) await steps.pass(300);
        }
        for (const file of ['a.yaml', 'b.yaml']) write({ [file]: pod(file) });
        rmSync(at('c'), { recursive: true, force: true });
        await steps.pass(2000);
        stop();
        const now = await readOf('');
        expect([...held].sort()).toEqual(now.objects.map(object => [objectTitle(object), object.raw]).sort());
      }),
      { numRuns: 20 },
    );
  });
});
