import { CNI_CODES, CniError } from '../contracts/cni.ts';
import { INTEGRATION_BRIDGE, routerPort } from '../contracts/names.ts';
import { type Database, findRow } from './database.ts';
import type { PodInstances } from './kubernetes/node-pods.ts';
import type { OwnNode } from './own-node.ts';
import { chassisRow, type PortBindings } from './southbound.ts';

export interface ReadinessContext {
  readonly self: OwnNode;
  readonly ovs: Database;
  readonly bindings: PortBindings;
  readonly pods: PodInstances | undefined;
}

/** Why ADDs cannot be served. */
interface Problem {
  readonly text: string;
  /** Whether pods that are attached already may be cut off as well. */
  readonly limits: boolean;
}

/** Whether ADDs can be served, and what keeps them from it. */
export class Readiness {
  readonly #context: ReadinessContext;

  constructor(context: ReadinessContext) {
    this.#context = context;
  }

  /** {@link CniError} 50 where no ADD can be served, 51 where attached pods may be cut off too (CNI 1.1.0, "STATUS"). */
  get problem(): CniError | undefined {
    const problems = problemsOf(this.#context);
    const [first, ...more] = problems;
    if (!first) return undefined;
    return new CniError(
      problems.some(({ limits }) => limits) ? CNI_CODES.limitedConnectivity : CNI_CODES.notAvailable,
      first.text,
      more.map(({ text }) => text).join('; '),
    );
  }

  /** Calls at once, and whenever the answer is another: with the whole of it, or undefined. Gives the function that ends it. */
  follow(listener: (problem: string | undefined) => void): () => void {
    let last: string | undefined | null = null;
    const look = () => {
      const { problem } = this;
      const text = problem && [problem.message, problem.details].filter(Boolean).join('; ');
      if (text === last) return;
      last = text;
      listener(text);
    };
    const { ovs, bindings, pods, self } = this.#context;
    const ends = [ovs, bindings.database, self, ...(pods ? [pods] : [])].map(source => source.onChange(look));
    look();
    return () => {
      for (const end of ends) end();
    };
  }
}

function problemsOf({ self, ovs, bindings, pods }: ReadinessContext): readonly Problem[] {
  return [
    ...ovsProblems(ovs),
    ...southboundProblems(self, bindings),
    ...(pods && !pods.synced
      ? [{ text: 'the pods of this node have not been listed yet', limits: false }]
      : []),
  ];
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
