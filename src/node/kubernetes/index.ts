import type { KubernetesApi } from '../../cluster/api/index.ts';
import { systemClock } from '../../cluster/watch/clock.ts';
import { Reflector } from '../../cluster/watch/index.ts';
import type { Log } from '../../contracts/log.ts';
import type { Database } from '../database.ts';
import type { OwnNode } from '../own-node.ts';
import { KubernetesNode } from './kubernetes-node.ts';
import { NodePods, type PodInstances } from './node-pods.ts';
import { NodeStatus } from './node-status.ts';

/** The Kubernetes side of an agent. */
export interface NodeKubernetes {
  readonly self: OwnNode;
  readonly pods: PodInstances;
  /** What keeps the agent from serving; undefined where it serves. Shown as a condition of the Node. */
  setProblem(problem: string | undefined): void;
  /** Follows the API server and writes to it until the signal says to stop; resolves then. */
  run(signal: AbortSignal): Promise<void>;
}

export interface NodeKubernetesOptions {
  readonly api: KubernetesApi;
  /** The Node's name. */
  readonly name: string;
  readonly ovs: Database;
  readonly log: Log;
}

/** Follows the agent's own Node and the pods on it, and no others. */
export function nodeKubernetes({ api, name, ovs, log }: NodeKubernetesOptions): NodeKubernetes {
  const node = new KubernetesNode(name, ovs, log);
  const pods = new NodePods();
  const status = new NodeStatus({
    api,
    node,
    ovs,
    log,
    clock: systemClock,
    random: Math.random,
    date: () => new Date(),
  });
  const reflectors = [
    new Reflector({ api, resource: KubernetesNode.resource(name), listener: node, log }),
    new Reflector({ api, resource: NodePods.resource(name), listener: pods, log }),
  ];
  return {
    self: node,
    pods,
    setProblem: problem => status.setProblem(problem),
    run: async signal => {
      const end = status.start();
      try {
        await Promise.all(reflectors.map(reflector => reflector.run(signal)));
      } finally {
        end();
      }
    },
  };
}
