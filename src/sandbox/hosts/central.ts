import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { OvnRoot, Programs } from '../ovn/ovn-root.ts';
import type { RunPaths } from '../paths.ts';
import { type ProcessSpec, startProcess } from '../processes/processes.ts';
import {
  awaitDatabase,
  createDatabase,
  type DatabaseServer,
  databaseFile,
  databaseRemote,
  serversOf,
} from './databases.ts';
import { inNamespace } from './namespace-command.ts';
import type { Topology } from './topology.ts';

/** The servers of the two databases and the northd of the central host, in the order in which they start. */
export function centralProcesses(
  topology: Topology,
  paths: RunPaths,
  root: Programs,
): readonly ProcessSpec[] {
  const databases = allServers(topology).map(server => databaseProcess(server, topology, paths, root));
  return [...databases, northdProcess(topology, paths, root)];
}

/** Makes the two databases, empty, and starts their servers and northd. */
export async function startCentral(topology: Topology, paths: RunPaths, root: OvnRoot): Promise<void> {
  await mkdir(paths.central);
  for (const server of allServers(topology)) {
    await createDatabase(server, topology, paths, root);
    await startProcess(databaseProcess(server, topology, paths, root));
    await awaitDatabase(server, paths, root);
  }
  await startProcess(northdProcess(topology, paths, root));
}

function allServers(topology: Topology): readonly DatabaseServer[] {
  return [...serversOf('nb', topology), ...serversOf('sb', topology)];
}

function databaseProcess(
  server: DatabaseServer,
  topology: Topology,
  paths: RunPaths,
  root: Programs,
): ProcessSpec {
  return daemon(server.name, topology, paths, root, 'ovsdb-server', [
    `--remote=punix:${paths.database(server.name)}`,
    `--remote=ptcp:${server.port}:0.0.0.0`,
    databaseFile(server, paths),
  ]);
}

function northdProcess(topology: Topology, paths: RunPaths, root: Programs): ProcessSpec {
  return daemon('northd', topology, paths, root, 'ovn-northd', [
    `--ovnnb-db=${databaseRemote('nb', topology, paths)}`,
    `--ovnsb-db=${databaseRemote('sb', topology, paths)}`,
  ]);
}

function daemon(
  name: string,
  { central }: Topology,
  paths: RunPaths,
  root: Programs,
  program: string,
  args: readonly string[],
): ProcessSpec {
  const at = (ending: string) => join(paths.central, `${name}.${ending}`);
  const common = [
    '--detach',
    '--no-chdir',
    `--pidfile=${at('pid')}`,
    `--log-file=${at('log')}`,
    `--unixctl=${at('ctl')}`,
    '-vsyslog:off',
  ];
  return {
    name,
    command: inNamespace(central.netns, root.command(program, [...common, ...args])),
    pidfile: at('pid'),
    marker: `--pidfile=${at('pid')}`,
    output: at('out'),
    kind: 'daemon',
  };
}
