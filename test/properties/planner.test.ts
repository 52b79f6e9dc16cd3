import process from 'node:process';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Operation } from '../../src/ovsdb-client/index.ts';
import { ModelSession } from '../support/model-session.ts';
import { BRIDGES, type ModelState, PORTS, rowsOf, stateArbitrary } from '../support/model-states.ts';
import type { Columns, Tables } from '../support/model-transaction.ts';
import { actualView, expectedView, keyOf } from '../support/model-view.ts';

/** More of them find more: set PROPERTY_RUNS for a long run. */
const RUNS = Number(process.env.PROPERTY_RUNS ?? 25);

/** What somebody else does to the database. */
type Deed =
  | { readonly kind: 'own-bridge' | 'delete-bridge' | 'wipe-marks'; readonly name: string }
  | { readonly kind: 'guest' | 'guest-leaves' | 'duplicate'; readonly name: string; readonly low: boolean }
  | { readonly kind: 'delete-all'; readonly table: string }
  | { readonly kind: 'bend'; readonly port: string }
  | { readonly kind: 'drop-port' | 'move-port'; readonly port: string; readonly name: string }
  | { readonly kind: 'foreign-keys'; readonly name: string };

const bridge = fc.constantFrom(...BRIDGES);
const port = fc.constantFrom(...PORTS);
const deedArbitrary: fc.Arbitrary<Deed> = fc.oneof(
  fc.record({ kind: fc.constantFrom('own-bridge', 'delete-bridge'), name: bridge }),
  fc.record({ kind: fc.constantFrom('guest', 'guest-leaves', 'duplicate'), name: bridge, low: fc.boolean() }),
  fc.record({ kind: fc.constant('delete-all'), table: fc.constantFrom('Group', 'Pool') }),
  fc.record({ kind: fc.constant('bend'), port }),
  fc.record({ kind: fc.constantFrom('drop-port', 'move-port'), port, name: bridge }),
  fc.record({ kind: fc.constant('foreign-keys'), name: bridge }),
);
const wipeArbitrary: fc.Arbitrary<Deed> = fc.record({ kind: fc.constant('wipe-marks'), name: bridge });

type Step =
  | { readonly kind: 'want'; readonly state: ModelState }
  | { readonly kind: 'deed'; readonly deed: Deed }
  | { readonly kind: 'deliver'; readonly times: number }
  | { readonly kind: 'restart' | 'reconnect' | 'wait' };

const DUPLICATE = 'dddd';
let serial = 0;

function doDeed({ database }: ModelSession, deed: Deed): void {
  const find = (table: string, name: string) => {
    for (const [uuid, row] of database.tables.get(table) ?? []) if (row.name === name) return { uuid, row };
    return undefined;
  };
  const change = (table: string, name: string, mutations: unknown) => {
    const found = find(table, name);
    if (found)
      database.execute([{ op: 'mutate', table, where: [['_uuid', '==', ['uuid', found.uuid]]], mutations }]);
  };
  switch (deed.kind) {
    case 'own-bridge':
      database.execute([{ op: 'insert', table: 'Bridge', row: { name: `their-${deed.name}` } }]);
      return;
    case 'delete-bridge':
      database.execute([{ op: 'delete', table: 'Bridge', where: [['name', '==', deed.name]] }]);
      return;
    case 'wipe-marks':
      // A row that stays only for somebody's port in it is theirs when its marks are gone, and its name is taken.
      if (find('Port', `guest-${deed.name}`)) return;
      database.execute([
        {
          op: 'update',
          table: 'Bridge',
          where: [['name', '==', deed.name]],
          row: { external_ids: ['map', []] },
        },
      ]);
      return;
    case 'guest': {
      const home = find('Bridge', deed.name);
      if (!home || home.uuid.endsWith(DUPLICATE) || find('Port', `guest-${deed.name}`)) return;
      database.execute([
        { op: 'insert', table: 'Port', 'uuid-name': 'g', row: { name: `guest-${deed.name}` } },
        {
          op: 'mutate',
          table: 'Bridge',
          where: [['_uuid', '==', ['uuid', home.uuid]]],
          mutations: [['ports', 'insert', ['set', [['named-uuid', 'g']]]]],
        },
      ]);
      return;
    }
    case 'guest-leaves': {
      const guest = find('Port', `guest-${deed.name}`);
      if (guest)
        database.execute([
          {
            op: 'mutate',
            table: 'Bridge',
            where: [],
            mutations: [['ports', 'delete', ['set', [['uuid', guest.uuid]]]]],
          },
        ]);
      return;
    }
    case 'duplicate': {
      const found = find('Bridge', deed.name);
      if (!found || keyOf(found.row) === undefined) return;
      const marks = [...(found.row.external_ids as ReadonlyMap<string, string>)];
      // A row with somebody's port in it could not go.
      if (find('Port', `guest-${deed.name}`)) return;
      const uuid = `${deed.low ? '00000000' : 'ffffffff'}-0000-4000-8000-${String(serial++).padStart(8, '0')}${DUPLICATE}`;
      database.execute([
        { op: 'insert', table: 'Bridge', uuid, row: { name: deed.name, external_ids: ['map', marks] } },
      ]);
      return;
    }
    case 'delete-all':
      database.execute([{ op: 'delete', table: deed.table, where: [] }]);
      return;
    case 'bend':
      database.execute([
        {
          op: 'update',
          table: 'Port',
          where: [['name', '==', deed.port]],
          row: { addresses: ['set', ['bent']], tag: 99, options: ['map', [['x', 'bent']]] },
        },
      ]);
      return;
    case 'drop-port':
    case 'move-port': {
      const found = find('Port', deed.port);
      if (!found) return;
      const element = ['set', [['uuid', found.uuid]]];
      const target = find('Bridge', deed.name);
      if (deed.kind === 'move-port' && !target) return;
      database.execute([
        { op: 'mutate', table: 'Bridge', where: [], mutations: [['ports', 'delete', element]] },
        ...(deed.kind === 'move-port'
          ? [
              {
                op: 'mutate',
                table: 'Bridge',
                where: [['_uuid', '==', ['uuid', target?.uuid]]],
                mutations: [['ports', 'insert', element]],
              },
            ]
          : []),
      ]);
      return;
    }
    case 'foreign-keys':
      change('Bridge', deed.name, [['config', 'insert', ['map', [['theirs', '1']]]]]);
  }
}

/**
 * Watches every transaction: no change of what is not ours, and no orphan. `races`: a parent may vanish while a child is
 * on its way to it, so that there can be orphans, for a moment.
 */
function watch(session: ModelSession, races: boolean): string[] {
  const faults: string[] = [];
  const ours = new Set<string>();
  session.database.witness = (operations: readonly Operation[], before: Tables, after: Tables) => {
    for (const { op, table, uuid } of operations) {
      if (op !== 'insert') continue;
      if (ours.has(String(uuid))) faults.push(`${table} ${uuid} came a second time`);
      ours.add(String(uuid));
      if (!races && !after.get(String(table))?.has(String(uuid))) faults.push(`orphan ${table} ${uuid}`);
    }
    for (const [table, rows] of before) {
      for (const [uuid, row] of rows) {
        if (ours.has(uuid) || uuid.endsWith(DUPLICATE) || keyOf(row) !== undefined) continue;
        if (print(row) !== print(after.get(table)?.get(uuid)))
          faults.push(`foreign ${table} ${row.name} changed`);
      }
    }
    checkForeignParts(before, after, faults);
  };
  return faults;
}

/** Members and keys of others in rows of ours. */
function checkForeignParts(before: Tables, after: Tables, faults: string[]): void {
  const isGuest = (tables: Tables, uuid: unknown) => {
    const row = tables.get('Port')?.get(String(uuid));
    return row !== undefined && String(row.name).startsWith('guest');
  };
  for (const [uuid, row] of before.get('Bridge') ?? []) {
    const next = after.get('Bridge')?.get(uuid);
    const guests = [...(row.ports as ReadonlySet<string>)].filter(port => isGuest(before, port));
    for (const guest of guests) {
      if (!(next?.ports as ReadonlySet<string> | undefined)?.has(guest))
        faults.push(`guest ${guest} was thrown out`);
    }
    const theirs = (row.config as ReadonlyMap<string, string>).get('theirs');
    if (next && (next.config as ReadonlyMap<string, string>).get('theirs') !== theirs)
      faults.push('a key was changed');
  }
}

function print(row: Columns | undefined): string {
  return JSON.stringify(row, (_, value) => {
    if (value instanceof Set) return [...value].sort();
    return value instanceof Map ? [...value].sort() : value;
  });
}

/** Rows that stay for the sake of others' rows in them count as gone: they are emptied, and the status names them. */
function withoutHeld(session: ModelSession): ReturnType<typeof actualView> {
  const view = structuredClone(actualView(session.database.tables)) as Record<
    string,
    Record<string, unknown>
  >;
  for (const { kind, table, key } of session.status().problems) {
    if (kind !== 'held' || !view[table]) continue;
    expect(view[table][key]).toMatchObject({ ports: [] });
    delete view[table][key];
    if (Object.keys(view[table]).length === 0) delete view[table];
  }
  return view;
}

async function end(session: ModelSession, faults: readonly string[], state: ModelState): Promise<void> {
  session.database.fate = () => ({ kind: 'normal' });
  session.database.reconnect();
  session.owned.setPrune(true);
  await session.wait(300_000);
  expect(faults).toEqual([]);
  expect(withoutHeld(session)).toEqual(expectedView(state));
  expect(session.status().inSync).toBe(true);
  const { length } = session.database.sent;
  await session.restart();
  expect(session.database.sent.slice(length)).toEqual([]);
}

describe('the planner', () => {
  it('makes the database equal to any wish, whatever was there and whatever others do in between', async () => {
    const steps = fc.array(
      fc.oneof(
        { weight: 3, arbitrary: fc.record({ kind: fc.constant('want'), state: stateArbitrary }) },
        {
          weight: 3,
          arbitrary: fc.record({ kind: fc.constant('deed'), deed: fc.oneof(deedArbitrary, wipeArbitrary) }),
        },
        { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart') }) },
      ),
      { maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(stateArbitrary, steps, async (first, all) => {
        const session = new ModelSession();
        const faults = watch(session, false);
        let state = first;
        await session.start(rowsOf(first));
        for (const step of all as readonly Step[]) {
          const failures = session.database.failures.length;
          if (step.kind === 'want') {
            const stay = portsThatStay(session, state, step.state);
            state = step.state;
            await session.want(rowsOf(state));
            for (const [name, uuid] of stay) expect(session.uuid('Port', name)).toBe(uuid);
          } else if (step.kind === 'deed') doDeed(session, step.deed);
          else await session.restart();
          await session.wait(120_000);
          expect(session.database.failures.slice(failures)).toEqual([]);
          expect(withoutHeld(session)).toEqual(expectedView(state));
        }
        await end(session, faults, state);
      }),
      { numRuns: RUNS },
    );
  });

  it('ends with the wish after races, lost answers, refusals and restarts in any order', async () => {
    const steps = fc.array(
      fc.oneof(
        { weight: 4, arbitrary: fc.record({ kind: fc.constant('want'), state: stateArbitrary }) },
        { weight: 4, arbitrary: fc.record({ kind: fc.constant('deed'), deed: deedArbitrary }) },
        {
          weight: 6,
          arbitrary: fc.record({ kind: fc.constant('deliver'), times: fc.integer({ min: 1, max: 4 }) }),
        },
        { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('restart', 'reconnect', 'wait') }) },
      ),
      { maxLength: 20 },
    );
    const fates = fc.infiniteStream(
      fc.oneof(
        { weight: 6, arbitrary: fc.constant({ kind: 'normal' } as const) },
        { weight: 2, arbitrary: fc.constant({ kind: 'answer-first' } as const) },
        { weight: 1, arbitrary: fc.record({ kind: fc.constant('lost' as const), applied: fc.boolean() }) },
      ),
    );
    await fc.assert(
      fc.asyncProperty(stateArbitrary, steps, fates, async (first, all, fate) => {
        const session = new ModelSession();
        const faults = watch(session, true);
        session.database.fate = () => fate.next().value ?? { kind: 'normal' };
        let state = first;
        session.wish.set(rowsOf(first));
        session.owned.setPrune(true);
        session.owned.resync();
        for (const step of all as readonly Step[]) {
          if (step.kind === 'want') {
            state = step.state;
            session.owned.apply(session.wish.set(rowsOf(state)));
          } else if (step.kind === 'deed') doDeed(session, step.deed);
          else if (step.kind === 'deliver') await deliver(session, step.times);
          else if (step.kind === 'restart') await restart(session);
          else if (step.kind === 'reconnect') session.database.reconnect();
          else await session.wait(10_000);
        }
        await end(session, faults, state);
      }),
      { numRuns: RUNS },
    );
  });
});

/** Ports that the wish has before and after: whatever else changes, they must stay the same rows. */
function portsThatStay(
  session: ModelSession,
  before: ModelState,
  after: ModelState,
): readonly [string, string][] {
  const alive = (state: ModelState) =>
    new Set(state.ports.filter(({ home }) => state.bridges.includes(home)).map(({ name }) => name));
  const now = alive(after);
  return [...alive(before)].filter(name => now.has(name)).map(name => [name, session.uuid('Port', name)]);
}

async function deliver(session: ModelSession, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    session.clock.advance(0);
    session.database.deliver();
    await Promise.resolve();
    await Promise.resolve();
  }
}

/** A restart begins with a mirror that is whole. */
async function restart(session: ModelSession): Promise<void> {
  session.owned.close();
  session.database.reconnect();
  await session.restart();
}
