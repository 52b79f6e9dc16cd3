import { type KubernetesApi, openKubernetes } from '../../cluster/api/index.ts';
import { isRaw, listOf, objectAt, type Raw, textOf } from '../../cluster/facts/raw.ts';
import type { Log } from '../../contracts/log.ts';
import type { StartedProcess } from '../pods/await-pods.ts';
import { poll } from '../processes/poll.ts';
import { isAlive } from '../processes/proc.ts';

const BASE_TIMEOUT = 60_000;
const TIMEOUT_PER_POD = 1_000;
const INTERVAL = 500;

/** The objects that `up` waits for, as the API server has them. */
export interface ClusterView {
  readonly nodes: readonly Raw[];
  readonly pods: readonly Raw[];
  readonly deployments: readonly Raw[];
}

/**
 * Waits until the Nodes have registered and all pods are ready by what the API server says. Resolves to what is missing,
 * one sentence each; it gives up early where a process has ended.
 */
export async function awaitCluster(
  kubeconfig: string,
  nodes: readonly string[],
  processes: readonly StartedProcess[],
  log: Log,
  timeout?: number,
): Promise<readonly string[]> {
  const api = openKubernetes({ kubeconfig });
  const started = performance.now();
  let told = '';
  const finished = await poll(
    Number.POSITIVE_INFINITY,
    async () => {
      const view = await look(api);
      const missing = missingObjects(view, nodes);
      const progress = {
        nodes: `${view.nodes.filter(isReady).length}/${nodes.length}`,
        pods: podsReady(view),
      };
      if (JSON.stringify(progress) !== told) log.info(progress, 'nodes and pods that are ready');
      told = JSON.stringify(progress);
      const dead = processes.filter(({ started }) => !isAlive(started));
      const limit = timeout ?? BASE_TIMEOUT + view.pods.length * TIMEOUT_PER_POD;
      const over = performance.now() - started > limit;
      return (dead.length > 0 || over || missing.length === 0) && { missing, dead };
    },
    INTERVAL,
  );
  const { missing = [], dead = [] } = finished ?? {};
  return [...dead.map(({ spec }) => `${spec.name} has ended: see ${spec.output}`), ...missing];
}

/** One sentence for each Node and pod that is not ready, and for each Deployment that lacks pods. */
export function missingObjects(view: ClusterView, nodes: readonly string[]): readonly string[] {
  const ready = new Set(view.nodes.filter(isReady).map(title));
  return [
    ...nodes.filter(name => !ready.has(name)).map(name => `Node ${name} is not ready`),
    ...view.deployments.filter(isShort).map(object => `Deployment ${title(object)} lacks pods`),
    ...view.pods
      .filter(pod => !isReady(pod))
      .map(pod => `Pod ${title(pod)} is not ready: ${reasonOf(pod) ?? 'it is still being attached'}`),
  ];
}

async function look(api: KubernetesApi): Promise<ClusterView> {
  const list = async (path: string): Promise<readonly Raw[]> =>
    listOf(await api.request({ method: 'GET', path }), 'items', path).filter(isRaw);
  const [nodes, pods, deployments] = await Promise.all(
    ['/api/v1/nodes', '/api/v1/pods', '/apis/apps/v1/deployments'].map(list),
  );
  return { nodes: nodes ?? [], pods: pods ?? [], deployments: deployments ?? [] };
}

function podsReady({ pods }: ClusterView): string {
  return `${pods.filter(isReady).length}/${pods.length}`;
}

/** Nodes and pods both have the condition. */
function isReady(object: Raw): boolean {
  return conditions(object).some(({ type, status }) => type === 'Ready' && status === 'True');
}

function isShort(deployment: Raw): boolean {
  const { replicas } = objectAt(deployment, 'spec');
  const status = objectAt(deployment, 'status');
  return (status.replicas ?? 0) !== replicas;
}

/** What the pod's status says of what keeps it. */
function reasonOf(pod: Raw): string | undefined {
  return conditions(pod)
    .filter(({ status }) => status === 'False')
    .map(condition => textOf(condition, 'message', 'status.conditions'))
    .find(message => message !== undefined && message !== '');
}

function conditions(object: Raw): readonly Raw[] {
  return listOf(objectAt(object, 'status'), 'conditions', 'status').filter(isRaw);
}

function title(object: Raw): string {
  const { namespace, name } = objectAt(object, 'metadata');
  return namespace === undefined ? String(name) : `${String(namespace)}/${String(name)}`;
}
