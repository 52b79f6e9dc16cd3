import { Command, Option } from 'commander';
import { parseIp } from '../addresses/index.ts';
import { internalIps, nodeFact } from '../cluster/facts/index.ts';
import { ManifestSource } from '../cluster/manifest-source.ts';
import { loadConfig } from '../config/index.ts';
import { DEFAULT_AGENT_SOCKET } from '../contracts/cni.ts';
import type { Log } from '../contracts/log.ts';
import { Agent } from '../node/agent.ts';
import { asDatabase, LOCAL_TABLES, SOUTHBOUND_TABLES } from '../node/sessions.ts';
import { run } from '../node/system/run.ts';
import { logConnections } from '../observe/connections.ts';
import { createLog } from '../observe/log.ts';
import { type Endpoint, formatEndpoint, parseRemotes, Session } from '../ovsdb-client/index.ts';
import { addDatabaseOptions, type DatabaseOptions, remotesOf, tlsOf } from './database-options.ts';
import { ExitError, UsageError } from './exit.ts';
import { addLogLevel, type LogLevelOption } from './log-option.ts';
import { untilSignal } from './signals.ts';
import { addSourceOptions, manifestsOf, type SourceOptions } from './source-options.ts';

interface NodeOptions extends DatabaseOptions, SourceOptions, LogLevelOption {
  readonly nodeName: string;
  readonly ovs: string;
  readonly encapIp?: string;
  readonly cniSocket: string;
  readonly config?: string;
}

const EXAMPLE = `
Example:
  kube-northbound node --node-name worker-1 --ovs unix:/run/openvswitch/db.sock \\
      --sb tcp:192.0.2.10:6642 --manifests ./cluster --encap-ip 192.0.2.21`;

/** `kube-northbound node`: the agent of one node. */
export function nodeCommand(): Command {
  const command = new Command('node')
    .description("Sets this node's Open vSwitch up, attaches its pods, and keeps its management port.")
    .requiredOption('--node-name <name>', "the Node's name")
    .requiredOption('--ovs <address>', 'local Open vSwitch database, e.g. unix:/run/openvswitch/db.sock');
  addSourceOptions(addDatabaseOptions(command, ['sb']));
  return addLogLevel(command)
    .option('--encap-ip <ip>', "tunnel address (default: what Open vSwitch says, else the Node's InternalIP)")
    .addOption(new Option('--cni-socket <path>', 'where the CNI plugin asks').default(DEFAULT_AGENT_SOCKET))
    .option('--config <file>', 'configuration (YAML)')
    .addHelpText('after', EXAMPLE)
    .action((options: NodeOptions) => serveNode(options));
}

/** Runs the agent until SIGTERM or SIGINT. Throws ExitError where it cannot be this node's. */
async function serveNode(options: NodeOptions): Promise<void> {
  const { nodeName: node, encapIp } = options;
  const remotes = remotesOf(options, 'sb');
  const tls = tlsOf(options);
  if (encapIp !== undefined && !parseIp(encapIp))
    throw new UsageError(`--encap-ip: "${encapIp}" is no IP address`);
  const config = loadConfig(options.config);
  const log = createLog({ level: options.logLevel });
  logConnections(log);
  const self = await ownNode(node, manifestsOf(options), log);
  const common = tls === undefined ? {} : { tls };
  const ovs = new Session({
    remotes: localRemotes(options.ovs),
    database: 'Open_vSwitch',
    tables: LOCAL_TABLES,
  });
  const southbound = new Session({
    remotes,
    database: 'OVN_Southbound',
    tables: SOUTHBOUND_TABLES,
    ...common,
  });
  const agent = new Agent({
    node,
    ...self,
    encapIp,
    remote: remotes.map(formatEndpoint).join(','),
    ovs: asDatabase(ovs),
    southbound: asDatabase(southbound),
    socket: options.cniSocket,
    mtu: config.mtu,
    clusterSubnets: config.clusterSubnets.map(({ cidr }) => cidr),
    run,
    log,
  });
  await untilSignal(signal => serve(agent, [ovs, southbound], signal));
}

async function serve(agent: Agent, sessions: readonly Session[], signal: AbortSignal): Promise<void> {
  const end = new Promise<void>((resolve, reject) => {
    signal.addEventListener('abort', () => resolve());
    for (const session of sessions) {
      session.onState((state, cause) => {
        if (state === 'failed') reject(new ExitError(1, cause?.message ?? 'a database is the wrong one'));
      });
    }
  });
  for (const session of sessions) session.start();
  try {
    await Promise.race([agent.start(), end]);
    await end;
  } finally {
    await agent.stop();
    await Promise.all(sessions.map(session => session.close()));
  }
}

/** What the manifests say of the agent's own Node, at the start; a Node that they lack has nothing to say. */
async function ownNode(
  name: string,
  paths: readonly string[],
  log: Log,
): Promise<{ readonly chassisId: string; readonly nodeIp: string | undefined }> {
  const { objects } = await new ManifestSource({ paths, log }).read();
  const object = objects.find(candidate => candidate.kind === 'Node' && candidate.name === name);
  if (!object) {
    log.warn({ node: name }, 'the manifests have no such Node yet');
    return { chassisId: name, nodeIp: undefined };
  }
  return { chassisId: nodeFact(name, object.raw).chassis, nodeIp: internalIps(object.raw)[0] };
}

function localRemotes(text: string): readonly Endpoint[] {
  try {
    return parseRemotes(text, { defaultPort: 6640 });
  } catch (error) {
    throw new UsageError(`--ovs: ${error instanceof Error ? error.message : String(error)}`);
  }
}
