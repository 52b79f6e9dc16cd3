import type { Stats } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from './facts/raw.ts';

/** A file, or a place that could not be looked at, as one scan saw it. */
export interface Sighting {
  /** Equal signatures mean an untouched file: device, inode, size, mtime and ctime. */
  readonly signature: string;
  /** Why there is nothing to read; undefined for a regular file. */
  readonly fault: string | undefined;
  /** When the file last changed, in ms since 1970 by the file system's clock; undefined with a fault. */
  readonly changed: number | undefined;
  /** The order among all files, bytewise: the given path's position, then folder by folder. */
  readonly rank: string;
}

/** Paths to sightings. A path that lies in a faulted folder is not in it, but may still exist. */
export type Sightings = ReadonlyMap<string, Sighting>;

const ENDINGS = new Set(['.yaml', '.yml', '.json']);

interface Scan {
  readonly found: Map<string, Sighting>;
  /** Folders already walked, as device:inode; a folder that links lead to again is walked once. */
  readonly folders: Set<string>;
  readonly root: number;
}

/** A form of a given path under which the same file has one name: no `./`, no doubled or trailing slash. */
export function tidyPath(given: string): string {
  const tidy = path.normalize(given);
  if (tidy === '-') return given;
  return tidy.length > 1 && tidy.endsWith('/') ? tidy.slice(0, -1) : tidy;
}

/** Whether `file` is the folder itself or lies somewhere below it. */
export function liesIn(folder: string, file: string): boolean {
  return file === folder || file.startsWith(childOf(folder, ''));
}

/**
 * Finds the manifests of the given files and folders, with links followed. A given file may have any ending; in folders
 * it is *.yaml, *.yml and *.json, and names that start with a dot are left out (links may lead to such ones: so are
 * ConfigMap volumes built). `-` is passed over. Never throws: what cannot be looked at becomes a sighting with a fault.
 */
export async function sightManifests(roots: readonly string[]): Promise<Sightings> {
  const found = new Map<string, Sighting>();
  const folders = new Set<string>();
  for (const [root, given] of roots.entries()) {
    if (given === '-') continue;
    const scan: Scan = { found, folders, root };
    try {
      const stats = await stat(given);
      if (stats.isDirectory()) await walk(scan, given, stats);
      else sight(scan, given, stats);
    } catch (error) {
      sightFault(scan, given, error);
    }
  }
  return found;
}

async function walk(scan: Scan, folder: string, stats: Stats): Promise<void> {
  const identity = `${stats.dev}:${stats.ino}`;
  if (scan.folders.has(identity)) return;
  scan.folders.add(identity);
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries
    .filter(entry => !entry.name.startsWith('.') && !(entry.isFile() && !isManifest(entry.name)))
    .map(entry => entry.name)
    .sort(bytewise);
  const seen = await Promise.all(names.map(name => look(childOf(folder, name))));
  for (const [index, name] of names.entries()) {
    const child = childOf(folder, name);
    const what = seen[index];
    if (what === undefined) continue;
    if (what instanceof Error) {
      // A link that leads nowhere and is named like no manifest is none of ours; other errors may hide a folder.
      if (isManifest(name) || codeOf(what.cause) !== 'ENOENT') sightFault(scan, child, what);
    } else if (!what.isDirectory()) {
      if (isManifest(name)) sight(scan, child, what);
    } else {
      await walk(scan, child, what).catch(error => sightFault(scan, child, error));
    }
  }
}

/** undefined where the name has gone since the folder was read; a link that leads nowhere is an error. */
async function look(file: string): Promise<Stats | Error | undefined> {
  try {
    return await stat(file);
  } catch (error) {
    const gone = codeOf(error) === 'ENOENT' && !(await exists(file));
    return gone ? undefined : new Error(messageOf(error), { cause: error });
  }
}

async function exists(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}

function sight(scan: Scan, file: string, stats: Stats): void {
  const fault = stats.isFile() ? undefined : 'cannot be read: it is neither a file nor a folder';
  add(scan, file, { signature: signatureOf(stats), fault, changed: stats.ctimeMs });
}

function sightFault(scan: Scan, file: string, error: unknown): void {
  const code = codeOf(error) ?? (error instanceof Error ? codeOf(error.cause) : undefined);
  const fault =
    code === 'ENOENT' ? 'is gone, or a link that leads nowhere' : `cannot be read: ${messageOf(error)}`;
  add(scan, file, { signature: `fault ${fault}`, fault, changed: undefined });
}

function add(scan: Scan, file: string, sighting: Omit<Sighting, 'rank'>): void {
  if (scan.found.has(file)) return;
  scan.found.set(file, { ...sighting, rank: rankOf(scan.root, file) });
}

/** See {@link Sighting}: `root` is the position of the given path that the file was found under. */
export function rankOf(root: number, file: string): string {
  return `${String(root).padStart(6, '0')}\0${file.replaceAll('/', '\0')}`;
}

/** The signature of a regular file, see {@link Sighting}. */
export function signatureOf(stats: Stats): string {
  return `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeMs}:${stats.ctimeMs}`;
}

function isManifest(name: string): boolean {
  return ENDINGS.has(path.extname(name));
}

function childOf(folder: string, name: string): string {
  return folder.endsWith('/') ? `${folder}${name}` : `${folder}/${name}`;
}

/** The error's code, e.g. ENOENT. */
export function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

function bytewise(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
