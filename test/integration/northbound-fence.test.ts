import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TermFence } from '../../src/master/term-fence.ts';
import { northboundOwnership, northboundTables, STAMP_TABLES } from '../../src/northbound/index.ts';
import { type Endpoint, Session } from '../../src/ovsdb-client/index.ts';
import { fenced, OwnedDatabase } from '../../src/ovsdb-state/index.ts';
import { network } from '../support/model-network.ts';
import { type ModelRows, ModelWish } from '../support/model-wish.ts';
import { databaseFolder, ovn, RealServer } from '../support/ovsdb-server.ts';
import { namesOf } from '../support/owned-northbound.ts';
import { poll } from '../support/poll.ts';
import { startRaftNorthbound } from '../support/raft-cluster.ts';
import { afterTest } from '../support/watched-session.ts';

const KEY = 'kube-northbound/term/test';
const folder = databaseFolder();

beforeAll(async () => {
  await ovn('trixie');
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

async function openSession(remotes: readonly Endpoint[]): Promise<Session> {
  const session = new Session({
    remotes,
    database: 'OVN_Northbound',
    tables: { ...northboundTables, ...STAMP_TABLES },
    leaderOnly: true,
    backoff: { minMs: 5, maxMs: 50 },
  });
  afterTest(() => session.close());
  session.start();
  await session.ready(20_000);
  return session;
}

/** A writer whose lease is what the test says: also one that believes to lead long after it has ended. */
class Writer {
  readonly identity: string;
  readonly session: Session;
  readonly owned: OwnedDatabase;
  readonly fence: TermFence;
  readonly #listeners = new Set<() => void>();
  readonly #wish = new ModelWish();
  readonly exceeded: number[] = [];
  #term: number | undefined;

  constructor(identity: string, session: Session) {
    this.identity = identity;
    this.session = session;
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    this.fence = new TermFence({ leadership: this, database: session, installation: 'test', log });
    this.owned = new OwnedDatabase({
      database: fenced(session, this.fence),
      wish: this.#wish,
      ownership: northboundOwnership('test'),
      log,
    });
    afterTest(async () => {
      this.fence.close();
      this.owned.close();
    });
    this.owned.setPrune(true);
    this.owned.resync();
  }

  get term(): number | undefined {
    return this.#term;
  }

  set term(term: number | undefined) {
    this.#term = term;
    for (const listener of this.#listeners) listener();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  exceed(term: number): void {
    this.exceeded.push(term);
  }

  want(rows: ModelRows): void {
    this.owned.apply(this.#wish.set(rows));
  }

  async synced(): Promise<void> {
    await poll(
      () => this.owned.status().inSync,
      () => `${this.identity} is in sync: ${JSON.stringify(this.owned.status())}`,
    );
  }
}

const kinds: readonly (readonly [string, (name: string) => Promise<readonly Endpoint[]>])[] = [
  [
    'standalone',
    async name => {
      const server = new RealServer({ root: await ovn('trixie'), folder, name });
      server.create('ovn-nb');
      server.start();
      afterTest(async () => server.stop());
      return [server.endpoint];
    },
  ],
  [
    'of a RAFT cluster',
    async name => {
      const members = await startRaftNorthbound(folder, name);
      afterTest(async () => {
        for (const member of members) member.stop();
      });
      return members.map(({ endpoint }) => endpoint);
    },
  ],
];

describe.each(kinds)('a northbound %s', (kind, serve) => {
  it('refuses whole what a leader writes who has been followed by another, and changes nothing', async () => {
    const remotes = await serve(kind.slice(0, 4).replace(' ', ''));
    const observer = await openSession(remotes);
    await observer.transact([
      { op: 'insert', table: 'NB_Global', row: { external_ids: ['map', [['theirs', 'stays']]] } },
    ]);
    const [old, next] = [
      new Writer('old', await openSession(remotes)),
      new Writer('next', await openSession(remotes)),
    ];
    old.term = 1;
    old.want(network({ s1: ['p1'] }));
    await old.synced();

    // What it would send if it were stopped right before, and went on after the take-over.
    const checks = old.fence.operations;
    next.term = 2;
    next.want(network({ s1: ['p1'], s2: ['p2'] }));
    await next.synced();
    const refused = old.session.transact([
      ...checks,
      { op: 'insert', table: 'Logical_Switch', row: { name: 'late' } },
      { op: 'delete', table: 'Logical_Switch', where: [['name', '==', 's1']] },
    ]);
    await expect(refused).rejects.toMatchObject({ code: 'timed out', operationIndex: 0 });

    // What it knows of the take-over by now keeps it from writing; it still claims its term.
    old.want(network({}));
    await poll(
      () => old.exceeded.includes(2),
      () => 'the old leader asks for a higher term',
    );
    expect(old.owned.status().inSync).toBe(false);
    await poll(
      () => namesOf(observer, 'Logical_Switch_Port').includes('p2'),
      () => 'the onlooker sees what the next leader wrote',
    );
    expect(namesOf(observer, 'Logical_Switch')).toEqual(['s1', 's2']);
    expect(namesOf(observer, 'Logical_Switch_Port')).toEqual(['p1', 'p2']);
    const [global] = observer.rows('NB_Global').values();
    expect(global?.columns.external_ids).toEqual(
      new Map([
        ['theirs', 'stays'],
        [KEY, '2/next'],
      ]),
    );

    // It got the lease back: it takes over what there is, and nothing but its wish follows.
    next.term = undefined;
    old.term = 3;
    old.want(network({ s1: ['p1'] }));
    await old.synced();
    // Its own mirror shows it; the onlooker's may be a moment behind.
    await poll(
      () => namesOf(observer, 'Logical_Switch').join() === 's1',
      () => `s1 alone is left: ${namesOf(observer, 'Logical_Switch')}`,
    );
  });

  it('lets one of two at once have the stamp, and never a lower term', async () => {
    const remotes = await serve(`two${kind.slice(-3)}`);
    const observer = await openSession(remotes);
    await observer.transact([{ op: 'insert', table: 'NB_Global', row: {} }]);
    const writers = [
      new Writer('a', await openSession(remotes)),
      new Writer('b', await openSession(remotes)),
      new Writer('c', await openSession(remotes)),
    ];
    for (const [index, writer] of writers.entries()) writer.term = index + 4;
    await poll(
      () => writers.map(({ fence }) => fence.held).join() === 'false,false,true',
      () => `the highest term alone may write: ${writers.map(({ fence }) => fence.held)}`,
    );
  });
});
