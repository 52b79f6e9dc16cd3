import { auditTime, fromEvent, lastValueFrom, map, merge, Observable, takeUntil, tap } from 'rxjs';
import { ManifestSource } from '../cluster/manifest-source.ts';
import type { SourceChange } from '../cluster/source.ts';
import type { Config } from '../config/index.ts';
import type { Log } from '../contracts/log.ts';
import { WrongDatabaseError } from '../ovsdb-client/index.ts';
import { Announcements } from './announcements.ts';
import { publish } from './diagnostics.ts';
import { Keeper } from './keeper.ts';
import { type DatabaseAccess, openNorthbound } from './northbound.ts';
import { Southbound } from './southbound.ts';
import { type MasterStatus, openStatusFile, type StatusFile } from './status-file.ts';

/** How long changes of the status are gathered, in ms, before they are written. */
const STATUS_PAUSE = 20;

export interface MasterOptions {
  readonly config: Config;
  /** Whether policies that nothing enforces are refused. */
  readonly strict: boolean;
  readonly manifests: readonly string[];
  readonly northbound: DatabaseAccess;
  readonly southbound: DatabaseAccess;
  readonly statusFile: string | undefined;
  readonly log: Log;
}

/**
 * Keeps the northbound equal to the manifests until `signal` aborts. Rejects where going on makes no sense: a wrong
 * database, a second master, paths that do not exist, a status file that cannot be written. An unreachable database is
 * waited for.
 */
export async function runMaster(options: MasterOptions, signal: AbortSignal): Promise<void> {
  const statusFile = await openStatusFile(options.statusFile);
  if (signal.aborted) return;
  const end = new AbortController();
  const stop = () => end.abort();
  signal.addEventListener('abort', stop, { once: true });
  const southbound = new Southbound(options.southbound, options.log, cause => end.abort(cause));
  try {
    await keepNorthbound(options, statusWriter(statusFile, options.log), end.signal);
  } catch (error) {
    if (!end.signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    await southbound.close();
  }
  if (end.signal.reason instanceof WrongDatabaseError) throw end.signal.reason;
}

async function keepNorthbound(
  options: MasterOptions,
  writeStatus: (status: MasterStatus) => void,
  signal: AbortSignal,
): Promise<void> {
  const { config, strict, log } = options;
  const source = new ManifestSource({ paths: options.manifests, log });
  const { session, lock } = await openNorthbound(options.northbound, config, { signal });
  const keeper = new Keeper({ config, strict, session, lock, log });
  const announcements = new Announcements(log);
  try {
    const changes = new Observable<SourceChange>(observer => source.watch(change => observer.next(change)));
    const states = new Observable<void>(observer => keeper.onChange(() => observer.next()));
    const work = merge(changes.pipe(tap(change => keeper.take(change))), states).pipe(
      auditTime(STATUS_PAUSE),
      map(() => keeper.status()),
      tap(status => announcements.update(status)),
      tap(status => publish({ kind: 'status', status })),
      tap(writeStatus),
      takeUntil(fromEvent(signal, 'abort')),
    );
    await lastValueFrom(work, { defaultValue: undefined });
  } finally {
    keeper.close();
    await session.close();
  }
}

/** A failure in the middle is told in the log; the next status is another try. */
function statusWriter(file: StatusFile | undefined, log: Log): (status: MasterStatus) => void {
  return status =>
    void file
      ?.update(status)
      .catch(error => log.error({ reason: error.message }, 'the status file is out of date'));
}
