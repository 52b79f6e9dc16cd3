import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const NOT_OURS = /^(\.git|node_modules|dist|coverage|\.build-.*)$/;

export interface ProjectFile {
  /** Relative to the project's root, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** All files below the folders (the whole project for `.`), as text, without what is installed or built. */
export function projectFiles(...folders: readonly string[]): readonly ProjectFile[] {
  return folders
    .flatMap(folder => walk(join(ROOT, folder)))
    .map(path => ({ path: relative(ROOT, path), text: readFileSync(path, 'utf8') }));
}

function walk(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    if (NOT_OURS.test(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return walk(path);
    return entry.isFile() ? [path] : [];
  });
}
