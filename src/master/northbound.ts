import type { Config } from '../config/index.ts';
import { northboundTables, requireNorthbound } from '../northbound/index.ts';
import { type Endpoint, type Lock, Session, TimeoutError, type TlsOptions } from '../ovsdb-client/index.ts';

/** How long another master of the same installation is waited for, in ms, before this one gives up. */
const LOCK_TIMEOUT = 5_000;

/** Where a database is. */
export interface DatabaseAccess {
  readonly remotes: readonly Endpoint[];
  readonly tls: TlsOptions | undefined;
}

/** The northbound: connected, its schema checked, locked for this installation. */
export interface Northbound {
  readonly session: Session;
  readonly lock: Lock;
}

/**
 * Opens the northbound. It is waited for, `timeout` (ms) at most where that is given, until `signal` aborts. Rejects
 * where the server has no such database, where its schema lacks a column that we write, and where another master of the
 * installation holds the lock.
 */
export async function openNorthbound(
  access: DatabaseAccess,
  config: Config,
  options: { readonly timeout?: number; readonly signal?: AbortSignal },
): Promise<Northbound> {
  const session = new Session({
    ...sessionAccess(access),
    database: 'OVN_Northbound',
    tables: northboundTables,
    leaderOnly: true,
  });
  options.signal?.addEventListener('abort', () => void session.close(), { once: true });
  session.start();
  try {
    await session.ready(options.timeout);
    if (session.schema) requireNorthbound(session.schema);
    return { session, lock: await takeLock(session, config.installation) };
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** The part of a session's options that says where the database is. */
export function sessionAccess({ remotes, tls }: DatabaseAccess): {
  readonly remotes: readonly Endpoint[];
  readonly tls?: TlsOptions;
} {
  return tls === undefined ? { remotes } : { remotes, tls };
}

async function takeLock(session: Session, installation: string): Promise<Lock> {
  const name = `kube_northbound_${installation}`;
  const lock = session.lock(name);
  try {
    await lock.acquired(LOCK_TIMEOUT);
  } catch (cause) {
    if (!(cause instanceof TimeoutError)) throw cause;
    throw new Error(
      `another master of the installation "${installation}" holds the lock ${name}: ` +
        'stop it, or give this one an installation name of its own in its configuration',
      { cause },
    );
  }
  return lock;
}
