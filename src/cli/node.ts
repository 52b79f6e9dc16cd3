import { Command, Option } from 'commander';
import { parseIp } from '../addresses/index.ts';
import { openKubernetes } from '../cluster/api/index.ts';
import { internalIps, nodeFact } from '../cluster/facts/index.ts';
import { ManifestSource } from '../cluster/manifest-source.ts';
import { loadConfig } from '../config/index.ts';
import { DEFAULT_AGENT_SOCKET } from '../contracts/cni.ts';
import type { Log } from '../contracts/log.ts';
import { nodeKubernetes } from '../node/kubernetes/index.ts';
import { fixedNode, type OwnNode } from '../node/own-node.ts';
import { asDatabase, LOCAL_TABLES, SOUTHBOUND_TABLES } from '../node/sessions.ts';
import { logConnections } from '../observe/connections.ts';
import { createLog } from '../observe/log.ts';
import { type Endpoint, formatEndpoint, parseRemotes, Session } from '../ovsdb-client/index.ts';
import { addDatabaseOptions, type DatabaseOptions, remotesOf, tlsOf } from './database-options.ts';
import { UsageError } from './exit.ts';
import { addLogLevel, type LogLevelOption } from './log-option.ts';
import { serveNode } from './node-process.ts';
import { addObservation, type ObservationOption, observationAddress, whileObserved } from './observation.ts';
import { untilSignal } from './signals.ts';
import { addSourceOptions, type SourceOptions, sourceOf } from './source-options.ts';

interface NodeOptions extends DatabaseOptions, SourceOptions, LogLevelOption, ObservationOption {
  readonly nodeName: string;
  readonly ovs: string;
  readonly encapIp?: string;
  readonly cniSocket: string;
  readonly cniPlugin?: string;
  readonly installCniBin?: string;
  readonly installCniConf?: string;
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
  return addObservation(addLogLevel(command), 'node')
    .option('--encap-ip <ip>', "tunnel address (default: what Open vSwitch says, else the Node's InternalIP)")
    .addOption(new Option('--cni-socket <path>', 'where the CNI plugin asks').default(DEFAULT_AGENT_SOCKET))
    .option('--install-cni-bin <folder>', 'put the CNI plugin into this folder, e.g. /opt/cni/bin')
    .option(
      '--install-cni-conf <folder>',
      'once pods can be attached, put the network configuration into this folder, e.g. /etc/cni/net.d',
    )
    .option('--cni-plugin <file>', 'what --install-cni-bin installs (default: the plugin of this package)')
    .option('--config <file>', 'configuration (YAML)')
    .addHelpText('after', EXAMPLE)
    .action((options: NodeOptions) => run(options));
}

/** Runs the agent until SIGTERM or SIGINT. Throws ExitError where it cannot be this node's. */
async function run(options: NodeOptions): Promise<void> {
  const { nodeName: name, encapIp } = options;
  const remotes = remotesOf(options, 'sb');
  const tls = tlsOf(options);
  if (encapIp !== undefined && !parseIp(encapIp))
    throw new UsageError(`--encap-ip: "${encapIp}" is no IP address`);
  const { mtu, clusterSubnets } = loadConfig(options.config);
  const log = createLog({ level: options.logLevel });
  logConnections(log);
  const source = sourceOf(options);
  const address = observationAddress(options, 'node');
  const sessions = {
    ovs: new Session({
      remotes: localRemotes(options.ovs),
      database: 'Open_vSwitch',
      tables: LOCAL_TABLES,
    }),
    southbound: new Session({
      remotes,
      database: 'OVN_Southbound',
      tables: SOUTHBOUND_TABLES,
      ...(tls === undefined ? {} : { tls }),
    }),
  };
  const api = 'access' in source ? openKubernetes(source.access) : undefined;
  const kubernetes = api && nodeKubernetes({ api, name, ovs: asDatabase(sessions.ovs), log });
  const self = kubernetes ? kubernetes.self : await ownNode(name, options.manifests ?? [], log);
  const { cniPlugin: plugin, installCniBin: pluginFolder, installCniConf: configurationFolder } = options;
  const agent = {
    ...{ self, kubernetes, sessions, encapIp, mtu, log },
    remote: remotes.map(formatEndpoint).join(','),
    socket: options.cniSocket,
    clusterSubnets: clusterSubnets.map(({ cidr }) => cidr),
    installation: { plugin, pluginFolder, configurationFolder },
  };
  const requirements = {
    databases: ['Open_vSwitch', 'OVN_Southbound'],
    resources: kubernetes ? ['nodes', 'pods'] : [],
    ...{ manifests: false, lease: false, cni: true },
  };
  await untilSignal(signal =>
    whileObserved({ component: 'node', address, requirements, log }, () => serveNode(agent, signal)),
  ).finally(() => api?.close());
}

/** What the manifests say of the agent's own Node, at the start; a Node that they lack has nothing to say. */
async function ownNode(name: string, paths: readonly string[], log: Log): Promise<OwnNode> {
  const { objects } = await new ManifestSource({ paths, log }).read();
  const object = objects.find(candidate => candidate.kind === 'Node' && candidate.name === name);
  if (!object) {
    log.warn({ node: name }, 'the manifests have no such Node yet');
    return fixedNode(name, name, undefined);
  }
  return fixedNode(name, nodeFact(name, object.raw).chassis, internalIps(object.raw)[0]);
}

function localRemotes(text: string): readonly Endpoint[] {
  try {
    return parseRemotes(text, { defaultPort: 6640 });
  } catch (error) {
    throw new UsageError(`--ovs: ${error instanceof Error ? error.message : String(error)}`);
  }
}
