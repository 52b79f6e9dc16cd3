import { describe, expect, it } from '@jest/globals';
import { type ProjectFile, projectFiles } from './files.ts';
import { type Import, importsOf } from './imports.ts';

/**
 * The rooms of `src/` and what each may import: modules of Node, packages, and other rooms. A room may be narrowed to
 * one path in it (`cluster/facts`), or to its types (`type allocate`). Its own files are always open to it.
 */
interface Room {
  readonly node: 'all' | readonly string[];
  readonly npm: readonly string[];
  readonly rooms: 'all' | readonly string[];
}

const ROOMS: Readonly<Record<string, Room>> = {
  'ovsdb-client': { node: 'all', npm: [], rooms: [] },
  engine: { node: [], npm: [], rooms: [] },
  contracts: { node: [], npm: [], rooms: [] },
  addresses: { node: ['node:crypto'], npm: [], rooms: [] },
  config: { node: ['node:fs', 'node:fs/promises'], npm: ['yaml', 'zod'], rooms: ['addresses'] },
  allocate: { node: [], npm: [], rooms: ['addresses', 'contracts'] },
  cluster: { node: 'all', npm: ['yaml'], rooms: ['addresses', 'contracts', 'engine'] },
  translate: {
    node: [],
    npm: [],
    rooms: [
      'addresses',
      'contracts',
      'engine',
      'cluster/facts',
      'type allocate',
      'northbound/tables.gen.ts',
      'northbound/row.ts',
      'ovsdb-state/row.ts',
    ],
  },
  'ovsdb-state': { node: 'all', npm: [], rooms: ['ovsdb-client'] },
  northbound: { node: 'all', npm: [], rooms: ['ovsdb-client', 'ovsdb-state'] },
  node: {
    node: 'all',
    npm: ['rxjs'],
    rooms: ['addresses', 'cluster', 'contracts', 'ovsdb-client', 'ovsdb-state'],
  },
  observe: {
    node: 'all',
    npm: ['pino', 'prom-client', 'rxjs'],
    rooms: ['contracts', 'type cluster', 'type master', 'type node', 'type ovsdb-client'],
  },
  master: { node: 'all', npm: ['rxjs'], rooms: 'all' },
  sandbox: { node: 'all', npm: ['rxjs', 'yaml'], rooms: 'all' },
  cli: { node: 'all', npm: ['commander', 'rxjs', 'zod'], rooms: 'all' },
};

/** The one file of `cluster` that speaks to Kubernetes. */
const KUBERNETES = { package: '@kubernetes/client-node', file: 'src/cluster/api/client.ts' };
/** A container runtime starts the plugin for every pod: it loads nothing but Node and the format that it speaks. */
const PLUGIN = { file: 'src/node/cni/plugin.ts', folder: 'src/node/cni/', rooms: ['contracts'] };

const LINES = 400;

const roomOf = (path: string): string => path.split('/')[1] ?? '';
const isUnder = (path: string, entry: string): boolean => path === entry || path.startsWith(`${entry}/`);
const opens = (entry: string, path: string, typeOnly: boolean): boolean =>
  entry.startsWith('type ') ? typeOnly && isUnder(path, entry.slice('type '.length)) : isUnder(path, entry);

function isAllowed(file: string, { target, typeOnly }: Import): boolean {
  const room = ROOMS[roomOf(file)];
  if (room === undefined) return false;
  if (target.startsWith('node:')) return room.node === 'all' || room.node.includes(target);
  if (!target.startsWith('src/')) {
    return room.npm.includes(target) || (isUnder(target, KUBERNETES.package) && file === KUBERNETES.file);
  }
  if (roomOf(target) === roomOf(file) || room.rooms === 'all') return true;
  return room.rooms.some(entry => opens(entry, target.slice('src/'.length), typeOnly));
}

const violations = (files: readonly ProjectFile[]): readonly string[] =>
  files.flatMap(file =>
    importsOf(file)
      .filter(found => !isAllowed(file.path, found))
      .map(found => `${file.path} imports ${found.target}`),
  );

const file = (path: string, ...lines: readonly string[]): ProjectFile => ({ path, text: lines.join('\n') });
const sources = projectFiles('src').filter(({ path }) => path.endsWith('.ts'));

describe('the rooms of src/', () => {
  it('are all in the table', () => {
    expect([...new Set(sources.map(({ path }) => roomOf(path)))].filter(room => !(room in ROOMS))).toEqual(
      [],
    );
  });

  it('import what the table allows, and nothing else', () => {
    expect(violations(sources)).toEqual([]);
  });

  it('leave the plugin small', () => {
    const plugin = sources.find(({ path }) => path === PLUGIN.file);
    const reached = reachable(plugin === undefined ? [] : [plugin]);
    expect(reached).toContain(PLUGIN.file);
    expect(
      reached.filter(
        path =>
          !path.startsWith('node:') &&
          !path.startsWith(PLUGIN.folder) &&
          !PLUGIN.rooms.includes(roomOf(path)),
      ),
    ).toEqual([]);
  });
});

/** The files and modules that are loaded when the given files are, themselves included. */
function reachable(start: readonly ProjectFile[]): readonly string[] {
  const reached = new Set(start.map(({ path }) => path));
  for (const path of reached) {
    const source = sources.find(candidate => candidate.path === path);
    if (source === undefined) continue;
    for (const found of importsOf(source)) if (!found.typeOnly) reached.add(found.target);
  }
  return [...reached];
}

describe('the table', () => {
  it.each([
    ['a room', file('src/engine/x.ts', "import { a } from '../translate/index.ts';")],
    [
      'a room, over several lines',
      file('src/engine/x.ts', 'import {', '  a,', "} from '../translate/index.ts';"),
    ],
    ['a re-export', file('src/contracts/x.ts', "export * from '../engine/index.ts';")],
    ['a module for its side effects', file('src/contracts/x.ts', "import '../engine/index.ts';")],
    ['a module at run time', file('src/contracts/x.ts', "const a = await import('../engine/index.ts');")],
    ['a module of Node', file('src/translate/x.ts', "import { readFileSync } from 'node:fs';")],
    ['a package', file('src/ovsdb-client/x.ts', "import { Subject } from 'rxjs';")],
    ['a log', file('src/cluster/x.ts', "import { log } from '../observe/log.ts';")],
    ['values where types are open', file('src/translate/x.ts', "import { a } from '../allocate/index.ts';")],
    ['another part of a room', file('src/translate/x.ts', "import { a } from '../cluster/manifests.ts';")],
    [
      'Kubernetes elsewhere',
      file('src/cluster/x.ts', "import { KubeConfig } from '@kubernetes/client-node';"),
    ],
    ['anything, in no room', file('src/x.ts', "import 'node:fs';")],
  ])('refuses %s', (_, forbidden) => {
    expect(violations([forbidden])).toHaveLength(1);
  });

  it.each([
    ['its own files', file('src/engine/a/x.ts', "import { a } from '../y.ts';")],
    ['an open room', file('src/translate/a/x.ts', "import { a } from '../../engine/index.ts';")],
    ['types of a room', file('src/translate/x.ts', "import type { A } from '../allocate/index.ts';")],
    ['a part of a room', file('src/translate/x.ts', "import { a } from '../cluster/facts/index.ts';")],
    [
      'Kubernetes in its file',
      file('src/cluster/api/client.ts', "import { A } from '@kubernetes/client-node';"),
    ],
  ])('lets pass %s', (_, allowed) => {
    expect(importsOf(allowed)).toHaveLength(1);
    expect(violations([allowed])).toEqual([]);
  });
});

describe('files written by hand', () => {
  it(`have at most ${LINES} lines`, () => {
    const long = projectFiles('src', 'test', 'tools')
      .filter(({ path }) => /\.(ts|mjs|js|sh)$/.test(path) && !path.endsWith('.gen.ts'))
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
      .filter(({ lines }) => lines > LINES);
    expect(long).toEqual([]);
  });
});
