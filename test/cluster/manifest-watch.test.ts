import { renameSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ManifestError, ManifestSource } from '../../src/cluster/manifest-source.ts';
import type { SourceChange } from '../../src/cluster/source.ts';
import {
  at,
  folder,
  pod,
  problemsOf,
  Steps,
  stops,
  titles,
  useFolder,
  watched,
  watchedBy,
  write,
} from './manifest-folder.ts';

useFolder();

describe('watching', () => {
  it('tells everything first, also when there is nothing', async () => {
    const empty = await watched();
    expect(empty.changes).toEqual([{ generation: 1, put: [], deleted: [], problems: [], synced: true }]);
    write({ 'a.yaml': pod('a') });
    expect((await watched()).changes).toMatchObject([{ generation: 1, put: [{ name: 'a' }] }]);
    expect(() => new ManifestSource({ paths: [at('none')] }).watch(() => {})).toThrow(ManifestError);
  });

  it('tells additions, changes and deletions, and only them', async () => {
    write({ 'a.yaml': `${pod('a')}---\n${pod('b')}---\n${pod('c')}` });
    const { settle } = await watched();
    write({ 'a.yaml': `${pod('a')}---\n${pod('b', 'new')}---\n${pod('d')}` });
    expect(await settle()).toEqual([
      { generation: 2, put: ['Pod default/b', 'Pod default/d'], deleted: ['Pod default/c'], synced: true },
    ]);
    rmSync(at('a.yaml'));
    expect(await settle()).toMatchObject([
      { generation: 3, put: [], deleted: ['Pod default/a', 'Pod default/b', 'Pod default/d'] },
    ]);
    expect(await settle(5000)).toEqual([]);
  });

  it('counts a change that changes no object, but not a touched file', async () => {
    write({ 'a.yaml': pod('a') });
    const { settle } = await watched();
    write({ 'a.yaml': `# note\n${pod('a')}` });
    expect(await settle()).toEqual([{ generation: 2, put: [], deleted: [], synced: true }]);
    utimesSync(at('a.yaml'), 1, 1);
    write({ 'a.yaml': `# note\n${pod('a')}` });
    expect(await settle(1000)).toEqual([]);
  });

  it('waits until a file has rested for 200 ms', async () => {
    const { settle } = await watched();
    for (let size = 1; size <= 5; size += 1) {
      write({ 'a.yaml': pod('a', 'x'.repeat(size)) });
      expect(await settle(100)).toEqual([]);
    }
    expect(await settle(100)).toEqual([]);
    expect(await settle(100)).toMatchObject([{ generation: 2, put: ['Pod default/a'] }]);
  });

  it('sees a change within seconds where looking takes long, and does not look all the time', async () => {
    write({ 'a.yaml': pod('a') });
    const steps = new Steps(300);
    const { settle } = await watchedBy(steps);
    await settle(10_000);
    const before = steps.looks;
    await settle(12_000);
    expect(steps.looks - before).toBeLessThan(7);
    write({ 'a.yaml': pod('a', 'new') });
    expect(await settle(4000)).toMatchObject([{ put: ['Pod default/a'] }]);
  });

  it('takes changes that were seen together at one time, so that a moving object is never gone', async () => {
    write({ 'a.yaml': pod('a'), 'b.yaml': pod('b') });
    const { settle } = await watched();
    write({ 'b.yaml': '' });
    expect(await settle(200)).toEqual([]);
    write({ 'c.yaml': pod('b', 'moved') });
    expect(await settle(200)).toEqual([]);
    expect(await settle(100)).toMatchObject([{ generation: 3, put: ['Pod default/b'], deleted: [] }]);
  });

  it('does not wait for others longer than a second', async () => {
    write({ 'a.yaml': pod('a') });
    const { settle } = await watched();
    write({ 'a.yaml': pod('a', 'new') });
    const seen: unknown[] = [];
    for (let step = 1; step <= 20; step += 1) {
      write({ 'log.yaml': `# ${'x'.repeat(step)}` });
      for (const change of await settle(100)) seen.push([step, change.put]);
    }
    expect(seen).toEqual([[13, ['Pod default/a']]]);
  });

  it('deletes nothing while a file is broken, and makes up for it afterwards', async () => {
    write({ 'a.yaml': `${pod('a1')}---\n${pod('a2')}`, 'b.yaml': pod('b'), 'c.yaml': pod('c') });
    const { settle, changes } = await watched();
    write({ 'a.yaml': `${pod('a1')}---\nx: [` });
    rmSync(at('b.yaml'));
    write({ 'c.yaml': pod('c', 'new'), 'd.yaml': pod('d') });
    expect(await settle()).toEqual([
      { generation: 5, put: ['Pod default/c', 'Pod default/d'], deleted: [], synced: false },
    ]);
    expect(changes.flatMap(problemsOf)).toEqual([
      expect.stringMatching(/^File \/a\.yaml: line \d+, column \d+: /),
    ]);
    write({ 'a.yaml': pod('a1') });
    expect(await settle()).toEqual([
      { generation: 6, put: [], deleted: ['Pod default/a2', 'Pod default/b'], synced: true },
    ]);
  });

  it('an object whose file broke may come back elsewhere', async () => {
    write({ 'a.yaml': pod('a'), 'b.yaml': '' });
    const { settle } = await watched();
    write({ 'a.yaml': '[' });
    expect(await settle()).toMatchObject([{ put: [], deleted: [], synced: false }]);
    write({ 'b.yaml': pod('a', 'moved') });
    expect(await settle()).toMatchObject([{ put: [], deleted: [], synced: false }]);
    rmSync(at('a.yaml'));
    expect(await settle()).toMatchObject([{ put: ['Pod default/a'], deleted: [], synced: true }]);
  });

  it('an object that came back while nothing could be deleted is not deleted later', async () => {
    write({ 'a.yaml': pod('a'), 'b.yaml': '[' });
    const { settle } = await watched();
    rmSync(at('a.yaml'));
    expect(await settle()).toMatchObject([{ put: [], deleted: [], synced: false }]);
    write({ 'c.yaml': pod('a') });
    expect(await settle()).toMatchObject([{ put: [], deleted: [], synced: false }]);
    rmSync(at('b.yaml'));
    expect(await settle()).toMatchObject([{ put: [], deleted: [], synced: true }]);
  });

  it('a file that cannot be read keeps its objects against others', async () => {
    write({ 'a.yaml': pod('p', 'one'), 'b.yaml': pod('p', 'two') });
    const { settle } = await watched();
    rmSync(at('a.yaml'));
    symlinkSync('nowhere', at('a.yaml'));
    expect(await settle()).toMatchObject([{ put: [], deleted: [], synced: false }]);
    rmSync(at('a.yaml'));
    expect(await settle()).toMatchObject([{ put: ['Pod default/p'], deleted: [], synced: true }]);
  });

  it('keeps everything while a given folder is gone', async () => {
    write({ 'in/a.yaml': pod('a'), 'in/b.yaml': pod('b') });
    const { settle, changes } = await watched('in');
    renameSync(at('in'), at('out'));
    expect(await settle()).toEqual([{ generation: 2, put: [], deleted: [], synced: false }]);
    expect(changes.flatMap(problemsOf)).toEqual(['File /in: is gone, or a link that leads nowhere']);
    rmSync(at('out/b.yaml'));
    renameSync(at('out'), at('in'));
    expect(await settle()).toMatchObject([{ put: [], deleted: ['Pod default/b'], synced: true }]);
  });

  it('goes on whatever is nested how deeply in an object', async () => {
    const deep = (x: string) =>
      `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "x": ${'['.repeat(20_000)}${x}${']'.repeat(20_000)}}`;
    write({ 'a.json': deep('1'), 'b.yaml': pod('b') });
    const { settle } = await watched();
    write({ 'a.json': deep('2'), 'b.yaml': pod('b', 'new') });
    expect(await settle()).toMatchObject([{ put: expect.arrayContaining(['Pod default/b']) }]);
  });

  it('forgets a folder below that is removed', async () => {
    write({ 'sub/deep/a.yaml': pod('a'), 'b.yaml': pod('b') });
    const { settle } = await watched();
    rmSync(at('sub'), { recursive: true });
    expect(await settle()).toMatchObject([
      { generation: 2, put: [], deleted: ['Pod default/a'], synced: true },
    ]);
  });

  it('lets the second claim of an object win when the first goes', async () => {
    write({ 'a.yaml': pod('p', 'one'), 'b.yaml': pod('p', 'two') });
    const { settle, changes } = await watched();
    rmSync(at('a.yaml'));
    expect(await settle()).toMatchObject([{ put: ['Pod default/p'], deleted: [] }]);
    expect(changes[0]).toMatchObject({
      problems: [],
      put: [{ raw: { metadata: { labels: { app: 'two' } } } }],
    });
    write({ 'a.yaml': pod('p', 'two') });
    expect(await settle()).toMatchObject([{ put: [], deleted: [] }]);
    expect(changes[0]?.problems).toHaveLength(1);
  });

  it('sees a ConfigMap volume change', async () => {
    write({
      '..1/a.yaml': pod('a'),
      '..1/b.yaml': pod('b'),
      '..2/a.yaml': pod('a', 'new'),
      '..2/b.yaml': pod('b'),
    });
    symlinkSync('..1', at('..data'));
    for (const name of ['a.yaml', 'b.yaml']) symlinkSync(`..data/${name}`, at(name));
    const { settle } = await watched();
    symlinkSync('..2', at('..next'));
    renameSync(at('..next'), at('..data'));
    expect(await settle()).toEqual([{ generation: 2, put: ['Pod default/a'], deleted: [], synced: true }]);
  });

  it('is silent once it was stopped', async () => {
    const { steps, settle, stop } = await watched();
    write({ 'a.yaml': pod('a') });
    stop();
    expect(await settle(1000)).toEqual([]);
    expect(steps.idle).toBe(true);
  });

  it('works by the clock on the wall', async () => {
    const changes: SourceChange[] = [];
    stops.push(new ManifestSource({ paths: [folder] }).watch(change => changes.push(change)));
    const until = async (count: number) => {
      const deadline = Date.now() + 5000;
      while (changes.length < count && Date.now() < deadline) await new Promise(setImmediate);
      return titles(changes.flatMap(({ put }) => put));
    };
    expect(await until(1)).toEqual([]);
    write({ 'a.yaml': pod('a') });
    expect(await until(2)).toEqual(['Pod default/a']);
  });
});
