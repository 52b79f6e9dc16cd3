import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const read = (file: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', file), 'utf8'));
const { packages } = read('package-lock.json') as { packages: Readonly<Record<string, Locked>> };
const manifest = read('package.json') as Readonly<Record<string, Readonly<Record<string, string>>>>;

/** The packages of which the registry has one per platform: several, each for one CPU. */
const PLATFORM = /(^|[-/])(arm|arm64|ia32|loong64|mips64el|ppc64|riscv64|s390x|wasm32|x64)\b/;

const optional = Object.values(packages).flatMap(locked => Object.entries(locked.optionalDependencies ?? {}));
const entryOf = (name: string): Locked | undefined =>
  Object.entries(packages).find(([path]) => path.endsWith(`node_modules/${name}`))?.[1];

describe('package-lock.json', () => {
  it('names no host: whoever installs uses the registry of their machine', () => {
    expect(Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  });

  it('has every optional package that a locked one names ("node tools/mend-lock.mjs" adds them)', () => {
    expect(optional.filter(([name]) => entryOf(name)?.version === undefined)).toEqual([]);
    expect(optional.length).toBeGreaterThan(50);
  });

  it('says of every package for one platform which it is', () => {
    const vague = optional
      .map(([name]) => ({ name, entry: entryOf(name) }))
      .filter(({ name }) => PLATFORM.test(name))
      .filter(({ name, entry }) => {
        const anyOs = /wasm32/.test(name);
        return entry?.optional !== true || !entry.cpu?.length || (!anyOs && !entry.os?.length);
      });
    expect(vague).toEqual([]);
  });

  it('belongs to package.json, which names exact versions only', () => {
    const named = { ...manifest.dependencies, ...manifest.devDependencies };
    for (const [name, version] of Object.entries(named)) {
      expect([name, version]).toEqual([name, expect.stringMatching(/^\d+\.\d+\.\d+$/)]);
      expect([name, packages[`node_modules/${name}`]?.version]).toEqual([name, version]);
    }
  });
});
