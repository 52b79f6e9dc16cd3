import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ManifestChange, ManifestError, ManifestSource } from '../../src/cluster/manifest-source.ts';
import { objectTitle } from '../../src/cluster/manifests.ts';

const pod = (name: string, app = 'web') =>
  `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\n  labels: {app: ${app}}\n`;

let folder = '';
const stops: (() => void)[] = [];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'manifests-'));
});

afterEach(() => {
  for (const stop of stops.splice(0)) stop();
  rmSync(folder, { recursive: true, force: true });
});

const at = (name: string) => path.join(folder, name);

function write(files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(at(name)), { recursive: true });
    writeFileSync(at(name), content);
  }
}

const titles = (keys: readonly Parameters<typeof objectTitle>[0][]) => keys.map(objectTitle).sort();

const problemsOf = (status: Pick<ManifestChange, 'problems'>) =>
  status.problems.map(({ object, reason }) => `${object}: ${reason}`.replaceAll(folder, ''));

async function readOf(...paths: string[]) {
  const snapshot = await new ManifestSource({ paths: paths.map(at) }).read();
  return { ...snapshot, titles: titles(snapshot.objects), told: problemsOf(snapshot) };
}

/** Time that passes only when it is told to: one look for each step of 100 ms. */
class Steps {
  #now = Date.now() + 60_000;
  #waiting: { readonly due: number; readonly action: () => void } | undefined;
  readonly clock = {
    now: () => this.#now,
    after: (ms: number, action: () => void) => {
      const waiting = { due: this.#now + ms, action };
      this.#waiting = waiting;
      return () => {
        if (this.#waiting === waiting) this.#waiting = undefined;
      };
    },
  };

  get idle(): boolean {
    return this.#waiting === undefined;
  }

  /** Lets `ms` pass, with all the looks that are due in it. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const waiting = this.#waiting;
      if (waiting === undefined || waiting.due > end) break;
      this.#now = waiting.due;
      this.#waiting = undefined;
      waiting.action();
      const deadline = Date.now() + 5000;
      while (this.#waiting === undefined && Date.now() < deadline) await new Promise(setImmediate);
    }
    this.#now = end;
  }
}

/** A watched folder under {@link Steps}, with everything that the source told. */
async function watched(...paths: string[]) {
  const steps = new Steps();
  const changes: ManifestChange[] = [];
  const source = new ManifestSource({ paths: (paths.length > 0 ? paths : ['']).map(at), clock: steps.clock });
  const stop = source.watch(change => changes.push(change));
  stops.push(stop);
  await steps.pass(0);
  /** Lets everything rest; the one change that is told, in short. */
  const settle = async (ms = 300) => {
    changes.length = 0;
    await steps.pass(ms);
    return changes.map(change => ({
      generation: change.generation,
      put: titles(change.put),
      deleted: titles(change.deleted),
      synced: change.synced,
    }));
  };
  return { steps, changes, settle, stop };
}

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
    const changes: ManifestChange[] = [];
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
      { numRuns: 100 },
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
      { numRuns: 40 },
    );
  });
});
