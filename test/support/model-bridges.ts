import { ref } from '../../src/ovsdb-state/index.ts';
import type { ModelRow, ModelRows } from './model-wish.ts';

/** Bridges with ports: `{ b1: ['p1', 'p2'] }`. */
export function bridges(ports: Readonly<Record<string, readonly string[]>>, columns: object = {}): ModelRows {
  const all = Object.values(ports).flat();
  return {
    Bridge: Object.fromEntries(
      Object.entries(ports).map(([name, names]): [string, ModelRow] => [
        name,
        {
          columns: { name },
          members: { ports: Object.fromEntries(names.map(port => [port, ref('Port', port)])) },
        },
      ]),
    ),
    Port: Object.fromEntries(all.map(name => [name, { columns: { name, ...columns } }])),
  };
}

/** The marks of a row in wire form. */
export const marks = (key: string, installation = 'ours') => [
  'map',
  [
    ['kube-northbound/installation', installation],
    ['kube-northbound/key', key],
    ['kube-northbound/unit', `unit/${key}`],
  ],
];
