import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { OvnRoot, Programs } from '../ovn/ovn-root.ts';
import type { RunPaths } from '../paths.ts';
import type { ProcessSpec } from '../processes/processes.ts';
import { runCommand } from '../processes/run-command.ts';
import { inNamespace } from './namespace-command.ts';
import type { Topology } from './topology.ts';

const DATABASES = { nb: { schema: 'ovn-nb', port: 6641 }, sb: { schema: 'ovn-sb', port: 6642 } } as const;

/** Where the nodes find the southbound database. */
export function southboundRemote({ central }: Topology): string {
  return `tcp:${central.ip}:${DATABASES.sb.port}`;
}

/** The two databases and the northd of the central host, in the order in which they start. */
export function centralProcesses(
  topology: Topology,
  paths: RunPaths,
  root: Programs,
): readonly ProcessSpec[] {
  const northd = daemon('northd', 'northd', topology, paths, root, 'ovn-northd', [
    `--ovnnb-db=unix:${paths.database('nb')}`,
    `--ovnsb-db=unix:${paths.database('sb')}`,
  ]);
  const databases = (['nb', 'sb'] as const).map(name =>
    daemon(name, name, topology, paths, root, 'ovsdb-server', [
      `--remote=punix:${paths.database(name)}`,
      `--remote=ptcp:${DATABASES[name].port}:0.0.0.0`,
      join(paths.central, `${name}.db`),
    ]),
  );
  return [...databases, northd];
}

/** Makes the two databases, empty. */
export async function createCentral(paths: RunPaths, root: OvnRoot): Promise<void> {
  await mkdir(paths.central);
  for (const name of ['nb', 'sb'] as const) {
    const file = join(paths.central, `${name}.db`);
    await runCommand(root.command('ovsdb-tool', ['create', file, root.schemaPath(DATABASES[name].schema)]));
  }
}

function daemon(
  name: string,
  file: string,
  { central }: Topology,
  paths: RunPaths,
  root: Programs,
  program: string,
  args: readonly string[],
): ProcessSpec {
  const at = (ending: string) => join(paths.central, `${file}.${ending}`);
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
