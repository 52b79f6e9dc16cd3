import fc from 'fast-check';
import { type DesiredAtom, type DesiredColumns, ref } from '../../src/ovsdb-state/index.ts';
import type { ModelRow, ModelRows } from './model-wish.ts';

/** A cluster of sorts: what a wish is made of in property tests. */
export interface ModelState {
  readonly bridges: readonly string[];
  readonly pools: readonly string[];
  readonly groups: readonly string[];
  readonly ports: readonly {
    readonly name: string;
    readonly home: string;
    readonly tag: number | undefined;
    readonly addresses: readonly string[];
    readonly x: string | undefined;
    readonly pool: string | undefined;
    readonly groups: readonly string[];
  }[];
  readonly rules: readonly { readonly name: string; readonly group: string; readonly priority: number }[];
  readonly bridgePools: readonly (readonly [bridge: string, pool: string])[];
  readonly poolAddresses: readonly (readonly [pool: string, address: string])[];
  readonly config: string | undefined;
}

export const BRIDGES = ['b0', 'b1', 'b2'] as const;
const POOLS = ['l0', 'l1'] as const;
const GROUPS = ['g0', 'g1'] as const;
export const PORTS = ['p0', 'p1', 'p2', 'p3'] as const;

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

export const stateArbitrary: fc.Arbitrary<ModelState> = fc.record({
  bridges: fc.subarray([...BRIDGES]),
  pools: fc.subarray([...POOLS]),
  groups: fc.subarray([...GROUPS]),
  ports: fc.uniqueArray(
    fc.record({
      name: fc.constantFrom(...PORTS),
      home: fc.constantFrom(...BRIDGES),
      tag: maybe(fc.nat(3)),
      addresses: fc.subarray(['x', 'y', 'z']),
      x: maybe(fc.constantFrom('1', '2')),
      pool: maybe(fc.constantFrom(...POOLS)),
      groups: fc.subarray([...GROUPS]),
    }),
    { selector: ({ name }) => name, maxLength: 4 },
  ),
  rules: fc.uniqueArray(
    fc.record({
      name: fc.constantFrom('r0', 'r1', 'r2'),
      group: fc.constantFrom(...GROUPS),
      priority: fc.nat(3),
    }),
    { selector: ({ name }) => name, maxLength: 3 },
  ),
  bridgePools: fc.array(fc.tuple(fc.constantFrom(...BRIDGES), fc.constantFrom(...POOLS)), { maxLength: 4 }),
  poolAddresses: fc.array(fc.tuple(fc.constantFrom(...POOLS), fc.constantFrom('1', '2', '3')), {
    maxLength: 4,
  }),
  config: maybe(fc.constantFrom('u', 'v')),
});

/** The wish that says a state. */
export function rowsOf(state: ModelState): ModelRows {
  const ports = (wanted: (port: ModelState['ports'][number]) => boolean) =>
    memberRefs(
      'Port',
      state.ports.filter(wanted).map(({ name }) => name),
    );
  return {
    Bridge: byName(state.bridges, name => ({
      columns: { name, ...(state.config === undefined ? {} : { config: { a: state.config } }) },
      members: {
        ports: ports(({ home }) => home === name),
        pools: memberRefs(
          'Pool',
          state.bridgePools.filter(([bridge]) => bridge === name).map(([, pool]) => pool),
        ),
      },
    })),
    Group: byName(state.groups, name => ({
      columns: { name },
      members: {
        ports: ports(({ groups }) => groups.includes(name)),
        rules: memberRefs(
          'Rule',
          state.rules.filter(({ group }) => group === name).map(rule => rule.name),
        ),
      },
    })),
    Pool: byName(state.pools, name => ({
      columns: { name },
      members: {
        addresses: Object.fromEntries(
          state.poolAddresses.filter(([pool]) => pool === name).map(([, a]) => [`m${a}`, a]),
        ),
      },
    })),
    Rule: Object.fromEntries(
      state.rules.map(({ name, priority }) => [name, { columns: { match: name, priority } }]),
    ),
    Port: Object.fromEntries(
      state.ports.map(port => [port.name, { columns: portColumns(port, state.pools) }]),
    ),
  };
}

function portColumns(port: ModelState['ports'][number], pools: readonly string[]): DesiredColumns {
  return {
    name: port.name,
    addresses: port.addresses,
    ...(port.tag === undefined ? {} : { tag: port.tag }),
    ...(port.x === undefined ? {} : { options: { x: port.x } }),
    ...(port.pool !== undefined && pools.includes(port.pool) ? { pool: ref('Pool', port.pool) } : {}),
  };
}

function byName(names: readonly string[], row: (name: string) => ModelRow): Record<string, ModelRow> {
  return Object.fromEntries(names.map(name => [name, row(name)]));
}

function memberRefs(table: string, keys: readonly string[]): Record<string, DesiredAtom> {
  return Object.fromEntries(keys.map(key => [key, ref(table, key)]));
}
