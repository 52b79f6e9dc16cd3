/** The product, from Kubernetes objects in memory to a real northbound. */
import type { KubeObject, ObjectKey } from '../../src/cluster/manifests.ts';
import { parseConfig } from '../../src/config/index.ts';
import { Keeper } from '../../src/master/keeper.ts';
import { northboundTables } from '../../src/northbound/index.ts';
import {
  type Endpoint,
  type Operation,
  type OperationResult,
  Session,
} from '../../src/ovsdb-client/index.ts';

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

/** What a master has once it is connected: session, lock and keeper. */
export class Product {
  readonly #session: WatchedSession;
  readonly #keeper: Keeper;
  #generation = 0;

  private constructor(session: WatchedSession, keeper: Keeper) {
    this.#session = session;
    this.#keeper = keeper;
  }

  /** Connects to a northbound database and takes the lock; nothing is written yet. */
  static async start(endpoint: Endpoint): Promise<Product> {
    const config = parseConfig('', 'defaults');
    const session = new WatchedSession({
      remotes: [endpoint],
      database: 'OVN_Northbound',
      tables: northboundTables,
      leaderOnly: true,
    });
    session.start();
    await session.ready();
    const lock = session.lock(`kube_northbound_${config.installation}`);
    await lock.acquired(5_000);
    return new Product(session, new Keeper({ config, session, lock, log: silent }));
  }

  set onTransact(onTransact: OnTransact) {
    this.#session.onTransact = onTransact;
  }

  /** Hands changed objects over; resolves when the mirror shows all that follows. */
  async take(put: readonly KubeObject[], deleted: readonly ObjectKey[] = []): Promise<void> {
    const keeper = this.#keeper;
    keeper.take({ generation: ++this.#generation, problems: [], synced: true, put, deleted });
    await new Promise<void>(resolve => {
      const stop = keeper.onChange(() => {
        if (!keeper.status().synced) return;
        stop();
        resolve();
      });
    });
    const { refused, pending } = keeper.status();
    if (refused[0]) throw new Error(`${refused[0].object} was refused: ${refused[0].reason}`);
    if (pending > 0) throw new Error(`${pending} pods have no node`);
  }

  /** The rows that are ours, of all tables together. */
  rows(): number {
    return Object.values(this.#keeper.status().rows).reduce((sum, count) => sum + count, 0);
  }

  async close(): Promise<void> {
    this.#keeper.close();
    await this.#session.close();
  }
}
