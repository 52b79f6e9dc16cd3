import { ManifestSource } from '../cluster/manifest-source.ts';
import type { SourceChange } from '../cluster/source.ts';
import { Keeper } from './keeper.ts';
import type { MasterOptions } from './master.ts';
import { openNorthbound } from './northbound.ts';
import { type MasterStatus, openStatusFile } from './status-file.ts';

/** What a single run came to. */
interface OnceResult extends MasterStatus {
  /** Whether every manifest could be read; nothing is deleted otherwise. */
  readonly complete: boolean;
}

/**
 * Makes the northbound equal to the manifests once. `timeout` (ms) bounds the whole run. Rejects where the database
 * cannot be had, or does not show the rows in time. A status file then says so, too.
 */
export async function syncOnce(
  options: Omit<MasterOptions, 'southbound'> & { readonly timeout: number },
): Promise<OnceResult> {
  const { config, strict, log, timeout } = options;
  const deadline = performance.now() + timeout;
  const statusFile = await openStatusFile(options.statusFile);
  const { objects, ...state } = await new ManifestSource({ paths: options.manifests, log }).read();
  const change: SourceChange = { ...state, put: objects, deleted: [] };
  const { session, lock } = await openNorthbound(options.northbound, config, { timeout });
  const keeper = new Keeper({ config, strict, session, lock, log });
  try {
    keeper.take(change);
    await inSync(keeper, deadline - performance.now());
    return { ...keeper.status(), complete: state.synced };
  } finally {
    const status = keeper.status();
    keeper.close();
    await session.close();
    await statusFile?.update(status);
  }
}

function inSync(keeper: Keeper, timeout: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      stop();
      reject(new Error('the northbound database does not show the rows in time: see --timeout'));
    }, timeout);
    const check = () => {
      if (!keeper.status().synced) return;
      clearTimeout(timer);
      stop();
      resolve();
    };
    const stop = keeper.onChange(check);
    check();
  });
}
