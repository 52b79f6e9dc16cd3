import type { Value } from '../../src/ovsdb-client/index.ts';
import { type ModelState, rowsOf } from './model-states.ts';
import type { Columns, Tables } from './model-transaction.ts';

/** Rows of ours in a form that can be compared: by table and key, references as keys, everything in order. */
export type View = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const INSTALLATION = 'kube-northbound/installation';
const KEY = 'kube-northbound/key';

/** The key of a row of ours, or undefined. */
export function keyOf(row: Columns | undefined): string | undefined {
  const marks = row?.external_ids;
  if (!(marks instanceof Map) || marks.get(INSTALLATION) !== 'ours') return undefined;
  return String(marks.get(KEY));
}

/** What the database has of ours. Two rows with one key show as a key with a number. */
export function actualView(tables: Tables): View {
  const keys = new Map<string, string>();
  for (const rows of tables.values()) {
    for (const [uuid, row] of rows) {
      const key = keyOf(row);
      if (key !== undefined) keys.set(uuid, key);
    }
  }
  const view: Record<string, Record<string, unknown>> = {};
  for (const [table, rows] of tables) {
    for (const [uuid, row] of rows) {
      const key = keys.get(uuid);
      if (key === undefined) continue;
      view[table] ??= {};
      const slot = key in view[table] ? `${key} again ${uuid}` : key;
      view[table][slot] = ownColumns(table, row, keys);
    }
  }
  return view;
}

function ownColumns(table: string, row: Columns, keys: ReadonlyMap<string, string>): unknown {
  const refs = (value: Value) =>
    value instanceof Set ? [...value].flatMap(uuid => keys.get(String(uuid)) ?? []).sort() : [];
  const texts = (value: Value) => (value instanceof Set ? [...value].map(String).sort() : []);
  const at = (value: Value, key: string) => (value instanceof Map ? value.get(key) : undefined);
  const marks = { unit: at(row.external_ids, 'kube-northbound/unit') };
  switch (table) {
    case 'Bridge':
      return {
        ...marks,
        name: row.name,
        ports: refs(row.ports),
        pools: refs(row.pools),
        a: at(row.config, 'a'),
        b: at(row.config, 'b'),
      };
    case 'Group':
      return { ...marks, name: row.name, ports: refs(row.ports), rules: refs(row.rules) };
    case 'Pool':
      return { ...marks, name: row.name, addresses: texts(row.addresses) };
    case 'Rule':
      return { ...marks, match: row.match, priority: row.priority };
    default:
      return {
        ...marks,
        name: row.name,
        addresses: texts(row.addresses),
        tag: row.tag,
        pool: row.pool === undefined ? undefined : keys.get(String(row.pool)),
        x: at(row.options, 'x'),
        note: at(row.external_ids, 'note'),
      };
  }
}

/** What the database must have of ours, worked out from the state without any of the program's code. */
export function expectedView(state: ModelState): View {
  const rows = rowsOf(state);
  const isThere = (table: string, key: string) => rows[table]?.[key] !== undefined;
  const ports = state.ports.filter(({ home }) => isThere('Bridge', home));
  const rules = state.rules.filter(({ group }) => isThere('Group', group));
  const sorted = (names: readonly string[]) => [...new Set(names)].sort();
  const unit = (key: string) => ({ unit: `unit/${key}` });
  const view: Record<string, Record<string, unknown>> = {
    Bridge: byKey(state.bridges, name => ({
      ...unit(name),
      name,
      ports: sorted(ports.filter(({ home }) => home === name).map(port => port.name)),
      pools: sorted(state.bridgePools.filter(([b, l]) => b === name && isThere('Pool', l)).map(([, l]) => l)),
      a: state.config,
      b: undefined,
    })),
    Group: byKey(state.groups, name => ({
      ...unit(name),
      name,
      ports: sorted(ports.filter(({ groups }) => groups.includes(name)).map(port => port.name)),
      rules: sorted(rules.filter(({ group }) => group === name).map(rule => rule.name)),
    })),
    Pool: byKey(state.pools, name => ({
      ...unit(name),
      name,
      addresses: sorted(state.poolAddresses.filter(([pool]) => pool === name).map(([, address]) => address)),
    })),
    Rule: Object.fromEntries(
      rules.map(({ name, priority }) => [name, { ...unit(name), match: name, priority }]),
    ),
    Port: Object.fromEntries(
      ports.map(({ name, addresses, tag, pool, x }) => [
        name,
        {
          ...unit(name),
          name,
          addresses: sorted(addresses),
          tag,
          pool: pool !== undefined && isThere('Pool', pool) ? pool : undefined,
          x,
          note: undefined,
        },
      ]),
    ),
  };
  for (const [table, keys] of Object.entries(view)) if (Object.keys(keys).length === 0) delete view[table];
  return view;
}

function byKey(names: readonly string[], row: (name: string) => unknown): Record<string, unknown> {
  return Object.fromEntries(names.map(name => [name, row(name)]));
}
