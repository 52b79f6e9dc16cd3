import { northboundOwnership, northboundTables } from '../../src/northbound/index.ts';
import { assertLock, type Endpoint, type Operation, Session } from '../../src/ovsdb-client/index.ts';
import { fenced, OwnedDatabase } from '../../src/ovsdb-state/index.ts';
import type { ModelRows } from './model-wish.ts';
import { ModelWish } from './model-wish.ts';
import { poll } from './poll.ts';
import { afterTest } from './watched-session.ts';

/** A session with a northbound; closed after the test. */
async function northboundSession(remotes: readonly Endpoint[]): Promise<Session> {
  const session = new Session({
    remotes,
    database: 'OVN_Northbound',
    tables: northboundTables,
    leaderOnly: true,
    backoff: { minMs: 5, maxMs: 50 },
  });
  afterTest(() => session.close());
  session.start();
  await session.ready(20_000);
  return session;
}

/** What a table's rows are called, in order. */
export function namesOf(session: Session, table: string): readonly string[] {
  return Array.from(session.rows(table).values(), ({ columns }) => String(columns.name)).sort();
}

/** A northbound that is kept equal to a wish by somebody who holds a lock, and an observer of it. */
export class OwnedNorthbound {
  readonly owned: OwnedDatabase;
  readonly observer: Session;
  /** Every transaction that was sent. */
  readonly sent: (readonly Operation[])[] = [];
  readonly #wish = new ModelWish();
  #before: (() => Promise<unknown>) | undefined;

  private constructor(session: Session, observer: Session) {
    this.observer = observer;
    const lock = session.lock('the_lock');
    this.owned = new OwnedDatabase({
      database: fenced(
        {
          get state() {
            return session.state;
          },
          get schema() {
            return session.schema;
          },
          rows: table => session.rows(table),
          onDelta: listener => session.onDelta(listener),
          onState: listener => session.onState(listener),
          transact: async operations => {
            this.sent.push(operations);
            const before = this.#before;
            this.#before = undefined;
            await before?.();
            return session.transact(operations);
          },
        },
        {
          get held() {
            return lock.held;
          },
          onChange: listener => lock.onChange(listener),
          operations: [assertLock(lock.name)],
        },
      ),
      wish: this.#wish,
      ownership: northboundOwnership('test'),
      log: { debug() {}, info() {}, warn() {} },
    });
  }

  /** `remotes`: where its own session goes; `direct`: where the observer's does. */
  static async start(
    remotes: readonly Endpoint[],
    direct: readonly Endpoint[] = remotes,
  ): Promise<OwnedNorthbound> {
    const observer = await northboundSession(direct);
    const northbound = new OwnedNorthbound(await northboundSession(remotes), observer);
    afterTest(async () => northbound.owned.close());
    northbound.owned.setPrune(true);
    northbound.owned.resync();
    return northbound;
  }

  /** Somebody else is quicker than the next transaction. */
  beatNext(by: readonly Operation[]): void {
    this.#before = () => this.observer.transact(by);
  }

  /** Changes the wish. */
  want(rows: ModelRows): void {
    this.owned.apply(this.#wish.set(rows));
  }

  /** Resolves once it is in sync and the observer sees these ports and no other; how long that took, in ms. */
  async ports(...names: readonly string[]): Promise<number> {
    const wanted = [...names].sort().join();
    const started = performance.now();
    await poll(
      () => this.owned.status().inSync && namesOf(this.observer, 'Logical_Switch_Port').join() === wanted,
      () =>
        `the ports ${wanted}: there are ${namesOf(this.observer, 'Logical_Switch_Port')}, ` +
        JSON.stringify(this.owned.status()),
    );
    return performance.now() - started;
  }
}
