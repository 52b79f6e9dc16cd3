import { join } from 'node:path';
import type { OvnRoot } from '../ovn/ovn-root.ts';
import type { RunPaths } from '../paths.ts';
import { runCommand } from '../processes/run-command.ts';
import type { Topology } from './topology.ts';

export type DatabaseName = 'nb' | 'sb';

/** One server of a database; `name` is its process'. */
export interface DatabaseServer {
  readonly database: DatabaseName;
  readonly name: string;
  readonly port: number;
  readonly raftPort: number;
}

/** OVN's own ports, for the first server of each. */
const DATABASES = {
  nb: { schema: 'ovn-nb', title: 'OVN_Northbound', port: 6641, raftPort: 6643 },
  sb: { schema: 'ovn-sb', title: 'OVN_Southbound', port: 6642, raftPort: 6644 },
} as const;
const PORT_STEP = 10;

/** The servers of a database: `nb`, in a RAFT cluster also `nb2` and `nb3`. */
export function serversOf(database: DatabaseName, topology: Topology): readonly DatabaseServer[] {
  const { port, raftPort } = DATABASES[database];
  return Array.from({ length: topology.databaseServers }, (_, index) => ({
    database,
    name: index === 0 ? database : `${database}${index + 1}`,
    port: port + index * PORT_STEP,
    raftPort: raftPort + index * PORT_STEP,
  }));
}

/** Where programs on this machine find a database, in any namespace: its servers' unix sockets. */
export function databaseRemote(database: DatabaseName, topology: Topology, paths: RunPaths): string {
  return socketsOf(serversOf(database, topology), paths);
}

/**
 * As {@link databaseRemote}, but without servers that do not run, for programs that give up at the first one that does not
 * answer, as ovn-nbctl(8) does.
 */
export function runningRemote(
  database: DatabaseName,
  topology: Topology,
  paths: RunPaths,
  isRunning: (name: string) => boolean,
): string {
  const servers = serversOf(database, topology);
  const running = servers.filter(({ name }) => isRunning(name));
  return socketsOf(running.length > 0 ? running : servers, paths);
}

function socketsOf(servers: readonly DatabaseServer[], paths: RunPaths): string {
  return servers.map(({ name }) => `unix:${paths.database(name)}`).join(',');
}

/** Where the nodes find the southbound database. */
export function southboundRemote(topology: Topology): string {
  return serversOf('sb', topology)
    .map(({ port }) => `tcp:${topology.central.ip}:${port}`)
    .join(',');
}

export function databaseFile({ name }: DatabaseServer, paths: RunPaths): string {
  return join(paths.central, `${name}.db`);
}

/** Makes the file of a server: an empty database, or in a cluster (ovsdb(7)) the right to join the first server's. */
export async function createDatabase(
  server: DatabaseServer,
  topology: Topology,
  paths: RunPaths,
  root: OvnRoot,
): Promise<void> {
  const { schema, title } = DATABASES[server.database];
  const file = databaseFile(server, paths);
  const address = ({ raftPort }: DatabaseServer) => `tcp:${topology.central.ip}:${raftPort}`;
  const [first = server] = serversOf(server.database, topology);
  const args =
    topology.databaseServers === 1
      ? ['create', file, root.schemaPath(schema)]
      : server.name === first.name
        ? ['create-cluster', file, root.schemaPath(schema), address(server)]
        : ['join-cluster', file, title, address(server), address(first)];
  await runCommand(root.command('ovsdb-tool', args));
}

/** Waits until a running server has its database: at once, or when it has joined its cluster. */
export async function awaitDatabase(server: DatabaseServer, paths: RunPaths, root: OvnRoot): Promise<void> {
  const { title } = DATABASES[server.database];
  const args = ['--timeout=60', 'wait', `unix:${paths.database(server.name)}`, title, 'connected'];
  await runCommand(root.command('ovsdb-client', args));
}
