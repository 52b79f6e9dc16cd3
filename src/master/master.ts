import { auditTime, fromEvent, lastValueFrom, map, merge, Observable, takeUntil, tap } from 'rxjs';
import type { SourceChange } from '../cluster/source.ts';
import type { Log } from '../contracts/log.ts';
import { WrongDatabaseError } from '../ovsdb-client/index.ts';
import { Announcements } from './announcements.ts';
import { publish } from './diagnostics.ts';
import { type KeepingOptions, openKeeping, sourceOf } from './keeping.ts';
import type { DatabaseAccess } from './northbound.ts';
import { Southbound } from './southbound.ts';
import { type MasterStatus, openStatusFile, type StatusFile } from './status-file.ts';

/** How long changes of the status are gathered, in ms, before they are written. */
const STATUS_PAUSE = 20;

export interface MasterOptions extends KeepingOptions {
  readonly southbound: DatabaseAccess;
  readonly statusFile: string | undefined;
}

/**
 * Keeps the northbound equal to manifests, or to an API server's objects, until `signal` aborts. Rejects where going on
 * makes no sense: a wrong database, a second master where a lock decides, paths that do not exist, a status file that
 * cannot be written. An unreachable database or API server is waited for.
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
  const source = sourceOf(options);
  const { keeping, session } = await openKeeping(options, { signal });
  const announcements = new Announcements(options.log);
  try {
    const changes = new Observable<SourceChange>(observer => source.watch(change => observer.next(change)));
    const states = new Observable<void>(observer => keeping.onChange(() => observer.next()));
    const work = merge(changes.pipe(tap(change => keeping.take(change))), states).pipe(
      auditTime(STATUS_PAUSE),
      map(() => keeping.status()),
      tap(status => announcements.update(status)),
      tap(status => publish({ kind: 'status', status })),
      tap(writeStatus),
      takeUntil(fromEvent(signal, 'abort')),
    );
    await lastValueFrom(work, { defaultValue: undefined });
  } finally {
    await keeping.close();
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
