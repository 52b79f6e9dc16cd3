import { mkdirSync, symlinkSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ManifestError, ManifestSource } from '../../src/cluster/manifest-source.ts';
import { at, pod, readOf, useFolder, write } from './manifest-folder.ts';

useFolder();

describe('one reading', () => {
  it('takes manifests of a folder and below it, but nothing with a dot first', async () => {
    write({
      'a.yaml': pod('a'),
      'sub/b.yml': pod('b'),
      'sub/deeper/c.json': JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'c' } }),
      'notes.txt': pod('no'),
      '.hidden.yaml': pod('no'),
      '.git/d.yaml': pod('no'),
      'd.yaml/e.yaml': pod('e'),
    });
    const { titles, problems, synced, generation } = await readOf('');
    expect(titles).toEqual(['Pod default/a', 'Pod default/b', 'Pod default/c', 'Pod default/e']);
    expect({ problems, synced, generation }).toEqual({ problems: [], synced: true, generation: 1 });
  });

  it('takes a given file whatever its name, and a path once', async () => {
    write({ '.list.txt': pod('a'), 'sub/b.yaml': pod('b') });
    const { titles, problems } = await readOf('.list.txt', 'sub', '.list.txt', 'sub/', 'sub/b.yaml');
    expect(titles).toEqual(['Pod default/a', 'Pod default/b']);
    expect(problems).toEqual([]);
  });

  it('follows links, also to names with a dot, and gets out of loops', async () => {
    write({ '..2024/a.yaml': pod('a'), 'elsewhere.d/b.yaml': pod('b') });
    symlinkSync('..2024', at('..data'));
    mkdirSync(at('in'));
    symlinkSync('../..data/a.yaml', at('in/a.yaml'));
    symlinkSync('../elsewhere.d', at('in/other'));
    symlinkSync('..', at('in/loop'));
    symlinkSync('self', at('in/self'));
    const { titles, told } = await readOf('in');
    expect(titles).toEqual(['Pod default/a', 'Pod default/b']);
    expect(told).toEqual([expect.stringMatching(/^File \/in\/self: cannot be read: (Error: )?ELOOP/)]);
  });

  it('refuses an object the second time, by the order of paths, then of names', async () => {
    write({
      'x/b.yaml': pod('p', 'first'),
      'x/a.yaml': pod('q', 'first'),
      'x/a/z.yaml': `${pod('q', 'zero')}---\n${pod('q', 'second')}`,
      'a.yaml': `# last\n${pod('p', 'last')}`,
    });
    const { objects, told, synced } = await readOf('x', 'a.yaml');
    expect(objects.map(({ name, raw }) => [name, raw.metadata]).sort()).toEqual([
      ['p', expect.objectContaining({ labels: { app: 'first' } })],
      ['q', expect.objectContaining({ labels: { app: 'zero' } })],
    ]);
    expect(told).toEqual([
      'Pod default/p: /a.yaml (line 2) has it again; /x/b.yaml (line 1) comes first and is used: remove one of them',
      'Pod default/q: /x/a/z.yaml (line 7) has it again; /x/a/z.yaml (line 1) comes first and is used: remove one of them',
      'Pod default/q: /x/a.yaml (line 1) has it again; /x/a/z.yaml (line 1) comes first and is used: remove one of them',
    ]);
    expect(synced).toBe(true);
  });

  it('names file, line and column of a syntax error, and does the rest', async () => {
    write({ 'a.yaml': `${pod('a')}---\n${pod('b')}kind: Pod\n---\n${pod('c')}`, 'b.yaml': pod('d') });
    const { titles, told, synced } = await readOf('');
    expect(titles).toEqual(['Pod default/a', 'Pod default/c', 'Pod default/d']);
    expect(told).toEqual(['File /a.yaml: line 12, column 1: Map keys must be unique']);
    expect(synced).toBe(false);
  });

  it('names file and line of what is no object, and is synced all the same', async () => {
    write({ 'a.yaml': `${pod('a')}---\nkind: Pod\n` });
    const { titles, told, synced } = await readOf('a.yaml');
    expect(titles).toEqual(['Pod default/a']);
    expect(told).toEqual(['File /a.yaml: line 7: not a Kubernetes object: lacks apiVersion, metadata.name']);
    expect(synced).toBe(true);
  });

  it('is not synced by what cannot be read', async () => {
    write({ 'a.yaml': Uint8Array.of(0xff, 0xfe, 0) });
    symlinkSync('nowhere', at('b.yaml'));
    symlinkSync('nowhere', at('lock'));
    const { told, synced } = await readOf('');
    expect(told).toEqual([
      'File /a.yaml: is not UTF-8 text',
      'File /b.yaml: is gone, or a link that leads nowhere',
    ]);
    expect(synced).toBe(false);
  });

  it('rejects a path that does not exist, and knows an empty folder', async () => {
    await expect(readOf('none')).rejects.toThrow(ManifestError);
    await expect(readOf('none')).rejects.toThrow(/cannot read the manifests .*none/);
    expect(await readOf('')).toMatchObject({ objects: [], problems: [], synced: true });
  });

  it('takes standard input in its place among the paths', async () => {
    write({ 'a.yaml': pod('a', 'file') });
    const stdin = async () => Buffer.from(pod('a', 'input'));
    const first = async (...paths: string[]) => {
      const { objects, problems } = await new ManifestSource({ paths, stdin }).read();
      expect(problems).toHaveLength(1);
      return objects[0]?.raw.metadata;
    };
    expect(await first('-', at('a.yaml'))).toMatchObject({ labels: { app: 'input' } });
    expect(await first(at('a.yaml'), '-')).toMatchObject({ labels: { app: 'file' } });
    expect(() => new ManifestSource({ paths: ['-'] }).watch(() => {})).toThrow(/standard input/);
  });
});
