import { CNI_CODES, CniError } from '../contracts/cni.ts';
import { INTEGRATION_BRIDGE, routerPort } from '../contracts/names.ts';
import { type Database, findRow } from './database.ts';
import type { OwnNode } from './own-node.ts';
import { chassisRow, type PortBindings } from './southbound.ts';

export interface ReadinessContext {
  readonly self: OwnNode;
  readonly ovs: Database;
  readonly bindings: PortBindings;
}

/** Why ADDs cannot be served. */
interface Problem {
  readonly text: string;
  /** Whether pods that are attached already may be cut off as well. */
  readonly limits: boolean;
}

/** Throws {@link CniError} 50 where no ADD can be served, 51 where that concerns attached pods too (CNI 1.1.0, "STATUS"). */
export function requireReady(context: ReadinessContext): void {
  const problems = problemsOf(context);
  const [first, ...more] = problems;
  if (!first) return;
  throw new CniError(
    problems.some(({ limits }) => limits) ? CNI_CODES.limitedConnectivity : CNI_CODES.notAvailable,
    first.text,
    more.map(({ text }) => text).join('; '),
  );
}

function problemsOf({ self, ovs, bindings }: ReadinessContext): readonly Problem[] {
  return [...ovsProblems(ovs), ...southboundProblems(self, bindings)];
}

function ovsProblems(ovs: Database): readonly Problem[] {
  if (!ovs.connected) return [{ text: 'the local Open vSwitch database is not reachable', limits: false }];
  if (findRow(ovs, 'Bridge', 'name', INTEGRATION_BRIDGE)) return [];
  return [{ text: `there is no ${INTEGRATION_BRIDGE}`, limits: true }];
}

function southboundProblems({ name, chassisId }: OwnNode, bindings: PortBindings): readonly Problem[] {
  const { database } = bindings;
  if (!database.connected) return [{ text: 'the southbound database is not reachable', limits: false }];
  const problems: Problem[] = [];
  if (!chassisRow(database, chassisId)) {
    const text = `the southbound database has no chassis ${chassisId}: is ovn-controller running?`;
    problems.push({ text, limits: true });
  }
  if (!bindings.get(routerPort(name))) {
    const text = `the southbound database has no port ${routerPort(name)}: is the master running, and has the Node subnets?`;
    problems.push({ text, limits: false });
  }
  return problems;
}
