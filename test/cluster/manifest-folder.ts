import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach } from '@jest/globals';
import { ManifestSource } from '../../src/cluster/manifest-source.ts';
import { objectTitle } from '../../src/cluster/manifests.ts';
import type { SourceChange } from '../../src/cluster/source.ts';

export const pod = (name: string, app = 'web') =>
  `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\n  labels: {app: ${app}}\n`;

/** A temporary folder of the running test; see {@link useFolder}. */
export let folder = '';
export const stops: (() => void)[] = [];

/** Gives each test of the file a folder of its own, and stops what it watched. */
export function useFolder(): void {
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'manifests-'));
  });
  afterEach(() => {
    for (const stop of stops.splice(0)) stop();
    rmSync(folder, { recursive: true, force: true });
  });
}

export const at = (name: string) => path.join(folder, name);

export function write(files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(at(name)), { recursive: true });
    writeFileSync(at(name), content);
  }
}

export const titles = (keys: readonly Parameters<typeof objectTitle>[0][]) => keys.map(objectTitle).sort();

export const problemsOf = (status: Pick<SourceChange, 'problems'>) =>
  status.problems.map(({ object, reason }) => `${object}: ${reason}`.replaceAll(folder, ''));

export async function readOf(...paths: string[]) {
  const snapshot = await new ManifestSource({ paths: paths.map(at) }).read();
  return { ...snapshot, titles: titles(snapshot.objects), told: problemsOf(snapshot) };
}

/** Time that passes only when it is told to: one look for each step of 100 ms. */
export class Steps {
  /** How many looks there were. */
  looks = 0;
  #now = Date.now() + 60_000;
  readonly #cost: number;
  #waiting: { readonly due: number; readonly action: () => void } | undefined;
  readonly clock = {
    now: () => {
      this.#now += this.#cost;
      return this.#now - this.#cost;
    },
    after: (ms: number, action: () => void) => {
      const waiting = { due: this.#now + ms, action };
      this.#waiting = waiting;
      return () => {
        if (this.#waiting === waiting) this.#waiting = undefined;
      };
    },
  };

  /** Asking for the time costs `cost` ms; a look asks at its start and at its end. */
  constructor(cost = 0) {
    this.#cost = cost;
  }

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
      this.looks += 1;
      waiting.action();
      const deadline = Date.now() + 5000;
      while (this.#waiting === undefined && Date.now() < deadline) await new Promise(setImmediate);
    }
    this.#now = Math.max(this.#now, end);
  }
}

/** A watched folder under {@link Steps}, with everything that the source told. */
export async function watched(...paths: string[]) {
  return watchedBy(new Steps(), paths);
}

export async function watchedBy(steps: Steps, paths: readonly string[] = []) {
  const changes: SourceChange[] = [];
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
