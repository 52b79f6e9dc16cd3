import type { FakeDatabase } from './fake-database.ts';

/** Adds a Port_Binding. */
export function bind(
  database: FakeDatabase,
  port: string,
  mac: string,
  options: Readonly<Record<string, string>> = {},
  claimedBy?: string,
): string {
  const columns = {
    logical_port: port,
    mac: new Set(mac ? [mac] : []),
    options: new Map(Object.entries(options)),
    chassis: new Set(claimedBy ? [claimedBy] : []),
  };
  return database.insert('Port_Binding', columns);
}

/** The Port_Binding of pod shop/web. */
export function podBinding(
  database: FakeDatabase,
  { uid = 'uid-1', chassis = 'worker-1', mac = '0a:58:0a:80:00:05 10.128.0.5' } = {},
): string {
  return bind(database, 'shop_web', mac, { 'iface-id-ver': uid, 'requested-chassis': chassis });
}
