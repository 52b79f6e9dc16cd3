import { ManifestSource } from '../cluster/manifest-source.ts';
import type { ObjectSource, SourceChange } from '../cluster/source.ts';
import { type Keeping, type KeepingOptions, openKeeping, sourceOf } from './keeping.ts';
import { type MasterStatus, openStatusFile } from './status-file.ts';

/** What a single run came to. */
interface OnceResult extends MasterStatus {
  /** Whether every object could be read; nothing is deleted otherwise. */
  readonly complete: boolean;
}

export interface OnceOptions extends KeepingOptions {
  readonly statusFile: string | undefined;
  /** For the whole run, in ms. */
  readonly timeout: number;
}

/**
 * Makes the northbound equal to the objects once. Rejects where the database, the objects or the lease cannot be had, or
 * the database does not show the rows in time. A status file then says so, too.
 */
export async function syncOnce(options: OnceOptions): Promise<OnceResult> {
  const { timeout } = options;
  const deadline = performance.now() + timeout;
  const statusFile = await openStatusFile(options.statusFile);
  const source = await singleSource(options);
  const { keeping, session } = await openKeeping(options, { timeout });
  let complete = true;
  const stop = source.watch(change => {
    complete = change.synced;
    keeping.take(change);
  });
  try {
    await inSync(keeping, deadline - performance.now());
    return { ...keeping.status(), complete };
  } finally {
    stop();
    const status = keeping.status();
    await keeping.close();
    await session.close();
    await statusFile?.update(status);
  }
}

/** Manifests are read before anything else is done: they may come by standard input, or not be there. */
async function singleSource(options: KeepingOptions): Promise<ObjectSource> {
  const { input, log } = options;
  if ('cluster' in input) return sourceOf(options);
  const { objects, ...state } = await new ManifestSource({ paths: input.manifests, log }).read();
  const change: SourceChange = { ...state, put: objects, deleted: [] };
  return {
    watch(listener) {
      const next = setImmediate(listener, change);
      return () => clearImmediate(next);
    },
  };
}

function inSync(keeping: Keeping, timeout: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      stop();
      reject(new Error(keeping.trouble() ?? slowness(keeping)));
    }, timeout);
    const check = () => {
      if (!keeping.isDone()) return;
      clearTimeout(timer);
      stop();
      resolve();
    };
    const stop = keeping.onChange(check);
    check();
  });
}

function slowness(keeping: Keeping): string {
  const { generation, synced } = keeping.status();
  if (generation === 0) return 'not every object was listed in time: see the log, and --timeout';
  if (synced) return 'not every object is annotated in time: see --timeout';
  return 'the northbound database does not show the rows in time: see --timeout';
}
