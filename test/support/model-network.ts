import { ref } from '../../src/ovsdb-state/index.ts';
import type { ModelRow, ModelRows } from './model-wish.ts';

/** A router, switches with ports, and the seam between them. */
export function network(ports: Readonly<Record<string, readonly string[]>>): ModelRows {
  const rows = {
    Logical_Router: {
      r: {
        columns: { name: 'r', options: { always_learn_from_arp_request: 'false' } },
        members: { ports: {} as Record<string, ReturnType<typeof ref>> },
      },
    },
    Logical_Router_Port: {} as Record<string, ModelRow>,
    Logical_Switch: {} as Record<string, ModelRow>,
    Logical_Switch_Port: {} as Record<string, ModelRow>,
  };
  for (const [name, names] of Object.entries(ports)) {
    rows.Logical_Router.r.members.ports[`to-${name}`] = ref('Logical_Router_Port', `to-${name}`);
    rows.Logical_Router_Port[`to-${name}`] = {
      columns: { name: `to-${name}`, mac: '0a:58:0a:80:00:01', networks: ['10.128.0.1/23', 'fd01::1/64'] },
    };
    rows.Logical_Switch[name] = {
      columns: { name, other_config: { subnet: '10.128.0.0/23' } },
      members: { ports: Object.fromEntries(names.map(port => [port, ref('Logical_Switch_Port', port)])) },
    };
    for (const port of names) {
      const address = `0a:58:0a:80:00:05 10.128.0.5 ${port}`;
      rows.Logical_Switch_Port[port] = {
        columns: {
          name: port,
          addresses: [address],
          port_security: [address],
          options: { 'iface-id-ver': port },
        },
      };
    }
  }
  return rows;
}
