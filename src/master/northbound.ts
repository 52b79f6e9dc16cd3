import { northboundTables, requireNorthbound, STAMP_TABLES, TermStamp } from '../northbound/index.ts';
import { type Endpoint, type Lock, Session, TimeoutError, type TlsOptions } from '../ovsdb-client/index.ts';

/** How long another master of the same installation is waited for, in ms, before this one gives up. */
const LOCK_TIMEOUT = 5_000;

/** Where a database is. */
export interface DatabaseAccess {
  readonly remotes: readonly Endpoint[];
  readonly tls: TlsOptions | undefined;
}

/**
 * Opens the northbound; its schema is checked. It is waited for, `timeout` (ms) at most where that is given, until `signal`
 * aborts. Rejects where the server has no such database, and where its schema lacks a column that we write.
 */
export async function openNorthbound(
  access: DatabaseAccess,
  options: { readonly timeout?: number; readonly signal?: AbortSignal },
): Promise<Session> {
  const session = new Session({
    ...sessionAccess(access),
    database: 'OVN_Northbound',
    tables: { ...northboundTables, ...STAMP_TABLES },
    leaderOnly: true,
  });
  options.signal?.addEventListener('abort', () => void session.close(), { once: true });
  session.start();
  try {
    await session.ready(options.timeout);
    if (session.schema) requireNorthbound(session.schema);
    return session;
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

/**
 * Locks the northbound for an installation, where no Kubernetes says who leads. Closes the session and rejects where another
 * master of the installation holds the lock, and where masters with an API server keep the installation.
 */
export async function lockNorthbound(session: Session, installation: string): Promise<Lock> {
  const lock = await acquire(session, installation);
  const problem = termProblem(session, installation);
  if (problem === undefined) return lock;
  await session.close();
  throw new Error(problem);
}

/**
 * Makes sure that no master with manifests keeps the installation, before one with an API server does: closes the session
 * and rejects where somebody holds the lock. The lock is given back: many masters with an API server may be there.
 */
export async function requireUnlocked(session: Session, installation: string): Promise<void> {
  const lock = await acquire(session, installation);
  await lock.release();
}

/** Why a master with manifests must not write: NB_Global has the stamp of a leader with an API server. */
export function termProblem(database: Pick<Session, 'rows'>, installation: string): string | undefined {
  const stamp = new TermStamp(installation);
  const found = stamp.read(database.rows('NB_Global'))?.text;
  if (found === undefined) return undefined;
  return (
    `NB_Global says ${stamp.key}=${found}: masters with an API server keep the installation "${installation}". Stop them and take ` +
    `their term away, by ovn-nbctl remove NB_Global . external_ids ${stamp.key}, or give this master an installation name of its ` +
    'own in its configuration'
  );
}

async function acquire(session: Session, installation: string): Promise<Lock> {
  const name = `kube_northbound_${installation}`;
  const lock = session.lock(name);
  try {
    await lock.acquired(LOCK_TIMEOUT);
    return lock;
  } catch (cause) {
    await session.close();
    if (!(cause instanceof TimeoutError)) throw cause;
    throw new Error(
      `another master of the installation "${installation}" holds the lock ${name}: ` +
        'stop it, or give this one an installation name of its own in its configuration',
      { cause },
    );
  }
}
