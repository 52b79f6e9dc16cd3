import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { macOf, parseIp } from '../../addresses/index.ts';
import type { OvnRoot, Programs } from '../ovn/ovn-root.ts';
import type { RunPaths } from '../paths.ts';
import type { ProcessSpec } from '../processes/processes.ts';
import { runCommand } from '../processes/run-command.ts';
import { southboundRemote } from './databases.ts';
import { inNamespace } from './namespace-command.ts';
import { bridgeLines, ipBatch, OUTSIDE_PORT, UNDERLAY_PORT } from './network.ts';
import type { SandboxNode, Topology } from './topology.ts';

/** The name of the outside network in `ovn-bridge-mappings`. */
const PHYSICAL_NETWORK = 'physnet';
/** Seconds; the most that OVS takes. A tunnel's lost neighbour stops its traffic for half a minute and more. */
const NEIGHBOUR_AGING = 3600;

/** The OVS of one node, in the order in which it starts. ovn-controller comes last. */
export function chassisProcesses(
  node: SandboxNode,
  paths: RunPaths,
  root: Programs,
): { readonly ovsdb: ProcessSpec; readonly vswitchd: ProcessSpec; readonly controller: ProcessSpec } {
  const dir = paths.node(node.id);
  const socket = `unix:${paths.ovsdb(node.id)}`;
  return {
    ovsdb: daemon('ovsdb', 'ovsdb-server', node, dir, root, [
      `--remote=punix:${paths.ovsdb(node.id)}`,
      join(dir, 'conf.db'),
    ]),
    vswitchd: daemon('vswitchd', 'ovs-vswitchd', node, dir, root, ['--disable-system', socket]),
    controller: daemon('controller', 'ovn-controller', node, dir, root, [socket]),
  };
}

/** Makes a node's folder and its empty database. */
export async function createChassis(node: SandboxNode, paths: RunPaths, root: OvnRoot): Promise<void> {
  const dir = paths.node(node.id);
  await mkdir(dir);
  const file = join(dir, 'conf.db');
  await runCommand(root.command('ovsdb-tool', ['create', file, root.schemaPath('vswitch')]));
}

/** Fills the database of a node whose ovsdb-server runs, before its ovs-vswitchd starts. */
export async function initChassis(node: SandboxNode, paths: RunPaths, root: Programs): Promise<void> {
  await runCommand(root.command('ovs-vsctl', [`--db=unix:${paths.ovsdb(node.id)}`, '--no-wait', 'init']));
}

/** Arguments of ovs-vsctl that make a node a chassis: who it is, and its three bridges. */
export function chassisSettings(node: SandboxNode, topology: Topology): readonly string[] {
  const ids = {
    'system-id': node.chassis,
    hostname: node.name,
    'ovn-remote': southboundRemote(topology),
    'ovn-remote-probe-interval': '180000',
    'ovn-openflow-probe-interval': '60',
    'ovn-encap-type': 'geneve',
    'ovn-encap-ip': node.encapIp,
    'ovn-bridge-datapath-type': 'netdev',
    'ovn-bridge-mappings': `${PHYSICAL_NETWORK}:br-ex`,
  };
  return [
    ...['set', 'Open_vSwitch', '.'],
    ...Object.entries(ids).map(([key, value]) => `external_ids:${key}="${value}"`),
    // The tunnel's address must be on a bridge of the same datapath: on a plain interface the kernel would take its packets.
    ...addBridge('br-phy', 'standalone', UNDERLAY_PORT),
    ...['--', 'set', 'Bridge', 'br-phy', `other_config:hwaddr="${hardwareAddress(node)}"`],
    ...addBridge('br-ex', 'standalone', OUTSIDE_PORT),
    ...addBridge('br-int', 'secure'),
  ];
}

/** Applies {@link chassisSettings}, and gives the bridges their addresses. */
export async function configureChassis(
  node: SandboxNode,
  topology: Topology,
  paths: RunPaths,
  root: Programs,
): Promise<void> {
  const database = `--db=unix:${paths.ovsdb(node.id)}`;
  await runCommand(root.command('ovs-vsctl', [database, ...chassisSettings(node, topology)]));
  await settleVswitchd(node, topology, paths, root);
}

/** What every start of ovs-vswitchd needs anew: it forgets the one setting, and after a clean exit the addresses. */
export async function settleVswitchd(
  node: SandboxNode,
  { underlayPrefix }: Topology,
  paths: RunPaths,
  root: Programs,
): Promise<void> {
  await ipBatch(node.netns, bridgeLines(node, underlayPrefix));
  await runCommand(root.command('ovs-appctl', ['tnl/neigh/aging', String(NEIGHBOUR_AGING)]), {
    env: { ...process.env, ...ovsEnvironment(paths.node(node.id)) },
  });
}

/** The environment in which OVS' and OVN's programs look for everything in one folder. */
export function ovsEnvironment(dir: string): Readonly<Record<string, string>> {
  const names = ['RUNDIR', 'LOGDIR', 'DBDIR', 'SYSCONFDIR'];
  return Object.fromEntries(names.flatMap(name => [`OVS_${name}`, `OVN_${name}`].map(key => [key, dir])));
}

/** Files have the program's name, so that ovs-appctl(8) finds a daemon in its folder by that name. */
function daemon(
  name: string,
  program: string,
  node: SandboxNode,
  dir: string,
  root: Programs,
  args: readonly string[],
): ProcessSpec {
  const pidfile = join(dir, `${program}.pid`);
  const common = [
    '--detach',
    '--no-chdir',
    `--pidfile=${pidfile}`,
    `--log-file=${join(dir, `${program}.log`)}`,
    '-vsyslog:off',
  ];
  return {
    name: `${node.name}/${name}`,
    command: inNamespace(node.netns, root.command(program, [...common, ...args])),
    env: ovsEnvironment(dir),
    pidfile,
    marker: `--pidfile=${pidfile}`,
    output: join(dir, `${program}.out`),
    kind: 'daemon',
  };
}

function addBridge(bridge: string, failMode: string, port?: string): readonly string[] {
  return [
    ...['--', 'add-br', bridge],
    ...['--', 'set', 'Bridge', bridge, 'datapath_type=netdev', `fail_mode=${failMode}`],
    ...(port === undefined ? [] : ['--', 'add-port', bridge, port]),
  ];
}

/** One that stays the same when the bridge is made again, so that the other nodes' neighbour entries stay true. */
function hardwareAddress(node: SandboxNode): string {
  const ip = parseIp(node.encapIp);
  if (!ip) throw new Error(`${node.encapIp} is no IP address`);
  return macOf(ip);
}
