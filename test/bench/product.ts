/** The product, from Kubernetes objects in memory to a real northbound. */
import type { KubeObject, ObjectKey } from '../../src/cluster/manifests.ts';
import { parseConfig } from '../../src/config/index.ts';
import { lockFence } from '../../src/master/keeper.ts';
import { Reconciler } from '../../src/master/reconciler.ts';
import { Translation } from '../../src/master/translation.ts';
import { northboundOwnership, northboundTables } from '../../src/northbound/index.ts';
import {
  type Endpoint,
  type Operation,
  type OperationResult,
  Session,
} from '../../src/ovsdb-client/index.ts';
import { fenced, OwnedDatabase } from '../../src/ovsdb-state/index.ts';

/** Is shown every transaction just before it is sent. */
export type OnTransact = (operations: readonly Operation[]) => void;

class WatchedSession extends Session {
  onTransact: OnTransact = () => undefined;

  override transact(operations: readonly Operation[]): Promise<readonly OperationResult[]> {
    this.onTransact(operations);
    return super.transact(operations);
  }
}

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** What a master has once it is connected, put together from the same parts. */
export class Product {
  readonly #session: WatchedSession;
  readonly #translation: Translation;
  readonly #owned: OwnedDatabase;
  readonly #reconciler: Reconciler;

  private constructor(session: WatchedSession, translation: Translation, owned: OwnedDatabase) {
    this.#session = session;
    this.#translation = translation;
    this.#owned = owned;
    this.#reconciler = new Reconciler(translation, owned);
  }

  /** Connects to a northbound database, takes the lock, and makes facts of the objects; nothing is written yet. */
  static async start(endpoint: Endpoint, objects: readonly KubeObject[]): Promise<Product> {
    const config = parseConfig('', 'defaults');
    const { installation } = config;
    const session = new WatchedSession({
      remotes: [endpoint],
      database: 'OVN_Northbound',
      tables: northboundTables,
      leaderOnly: true,
    });
    session.start();
    await session.ready();
    const lock = session.lock(`kube_northbound_${installation}`);
    await lock.acquired(5_000);
    const translation = new Translation(config);
    translation.take({ put: objects, deleted: [] });
    const owned = new OwnedDatabase({
      database: fenced(session, lockFence(lock)),
      wish: translation.wish,
      ownership: northboundOwnership(installation),
      log: silent,
    });
    return new Product(session, translation, owned);
  }

  set onTransact(onTransact: OnTransact) {
    this.#session.onTransact = onTransact;
  }

  /** From the facts in memory to the mirror that shows all rows. */
  async sync(): Promise<void> {
    this.#reconciler.follow(true);
    await this.#shown();
  }

  /** Hands changed objects over; resolves when the mirror shows all that follows. */
  async take(put: readonly KubeObject[], deleted: readonly ObjectKey[] = []): Promise<void> {
    this.#translation.take({ put, deleted });
    this.#reconciler.follow(true);
    await this.#shown();
  }

  /** The rows that are ours, of all tables together. */
  rows(): number {
    return Object.values(this.#owned.status().owned).reduce((sum, count) => sum + count, 0);
  }

  async close(): Promise<void> {
    this.#reconciler.close();
    this.#owned.close();
    await this.#session.close();
  }

  async #shown(): Promise<void> {
    await new Promise<void>(resolve => {
      const stop = this.#owned.onChange(() => {
        if (!this.#reconciler.isSettled || !this.#owned.status().inSync) return;
        stop();
        resolve();
      });
    });
    const [refused] = this.#translation.refused();
    if (refused) throw new Error(`${refused.object} was refused: ${refused.reason}`);
    const [problem] = this.#owned.status().problems;
    if (problem) throw new Error(`${problem.table} ${problem.key}: ${problem.reason}`);
  }
}
