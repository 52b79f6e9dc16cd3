import type { Log } from '../contracts/log.ts';
import { startCentral } from './hosts/central.ts';
import { chassisProcesses, configureChassis, createChassis, initChassis } from './hosts/chassis.ts';
import { makeNetwork } from './hosts/network.ts';
import type { SandboxNode, Topology } from './hosts/topology.ts';
import type { OvnRoot } from './ovn/ovn-root.ts';
import type { RunPaths } from './paths.ts';
import { Limiter } from './processes/limiter.ts';
import { startProcess } from './processes/processes.ts';

/** Nodes that start at once. */
const PARALLEL = 4;

/** Starts OVN: the network, the central host, and a chassis on every node. */
export async function bringOvnUp(
  topology: Topology,
  paths: RunPaths,
  root: OvnRoot,
  log: Log,
): Promise<void> {
  log.info({ nodes: topology.nodes.length }, 'making namespaces and cables');
  await makeNetwork(topology);
  log.info({ ovn: root.versions.ovn }, 'starting the databases and northd');
  await startCentral(topology, paths, root);
  log.info({ ovs: root.versions.ovs }, 'starting Open vSwitch and ovn-controller on the nodes');
  const limiter = new Limiter(PARALLEL);
  await Promise.all(topology.nodes.map(node => limiter.run(() => startChassis(node, topology, paths, root))));
}

async function startChassis(
  node: SandboxNode,
  topology: Topology,
  paths: RunPaths,
  root: OvnRoot,
): Promise<void> {
  const { ovsdb, vswitchd, controller } = chassisProcesses(node, paths, root);
  await createChassis(node, paths, root);
  await startProcess(ovsdb);
  await initChassis(node, paths, root);
  await startProcess(vswitchd);
  await configureChassis(node, topology, paths, root);
  await startProcess(controller);
}
