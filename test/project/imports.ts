import { posix } from 'node:path';
import type { ProjectFile } from './files.ts';

export interface Import {
  /** The module as written (`node:fs`, `yaml`), or for one of ours its path: `src/engine/index.ts`. */
  readonly target: string;
  /** Only types: nothing is loaded at run time. */
  readonly typeOnly: boolean;
}

const STATIC = /^(?:import|export)\s+(type\s)?[^;'"]*?\bfrom\s+['"]([^'"]+)['"]/gm;
const SIDE_EFFECT = /^import\s+['"]([^'"]+)['"]/gm;
const DYNAMIC = /\b(?:import|require)\(\s*['"`]([^'"`]+)['"`]/g;

/** What the file imports, in each of the ways to write it. */
export function importsOf({ path, text }: ProjectFile): readonly Import[] {
  const found = [
    ...[...text.matchAll(STATIC)].map(([, type, target]) => ({ target, typeOnly: type !== undefined })),
    ...[...text.matchAll(SIDE_EFFECT), ...text.matchAll(DYNAMIC)].map(([, target]) => ({
      target,
      typeOnly: false,
    })),
  ];
  return found.flatMap(({ target, typeOnly }) =>
    target === undefined ? [] : [{ target: resolved(path, target), typeOnly }],
  );
}

const resolved = (from: string, target: string): string =>
  target.startsWith('.') ? posix.join(posix.dirname(from), target) : target;
