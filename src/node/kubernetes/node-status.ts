import type { ApiRequest, KubernetesApi } from '../../cluster/api/index.ts';
import { publish } from '../../cluster/diagnostics.ts';
import type { WatchClock } from '../../cluster/watch/index.ts';
import { FIELD_MANAGER } from '../../cluster/write/annotation-writer.ts';
import { WriteQueue } from '../../cluster/write/write-queue.ts';
import { NODE_CHASSIS_ID } from '../../contracts/annotations.ts';
import type { Log } from '../../contracts/log.ts';
import type { Database } from '../database.ts';
import type { KubernetesNode, ShownCondition } from './kubernetes-node.ts';

export interface NodeStatusOptions {
  readonly api: KubernetesApi;
  readonly node: KubernetesNode;
  readonly ovs: Database;
  readonly log: Log;
  readonly clock: WatchClock;
  readonly random: () => number;
  /** The time of day. */
  readonly date: () => Date;
}

/**
 * An agent that cannot serve for so many ms makes its node unavailable for new pods. Restarts of databases and of
 * ovn-controller are shorter.
 */
const GRACE = 30_000;
/** What was written and is not seen is written again after so many ms. */
const CONFIRM_WITHIN = 30_000;

const SERVING: ShownCondition = {
  status: 'False',
  reason: 'KubeNorthboundIsUp',
  message: 'kube-northbound attaches pods to the network',
};

/** What the Node is to show; what is undefined it shows already. */
interface NodeWrite {
  readonly name: string;
  readonly uid: string;
  readonly chassisId: string | undefined;
  readonly condition: ShownCondition | undefined;
}

/**
 * Keeps on the agent's Node: the annotation that names its chassis, where that has not the Node's name, and the
 * condition NetworkUnavailable, which keeps new pods away from a node that cannot attach them (the node controller
 * makes a taint of it). False once the agent serves, True where it has not been able to for {@link GRACE}; while no
 * agent runs it stays as it is, so that a restart changes nothing.
 */
export class NodeStatus {
  readonly #options: NodeStatusOptions;
  readonly #queue: WriteQueue<NodeWrite>;
  readonly #ends: (() => void)[] = [];
  #condition: ShownCondition | undefined;
  /** What keeps the agent from serving now; empty where nothing does. */
  #problem = '';
  #cancelGrace: (() => void) | undefined;

  constructor(options: NodeStatusOptions) {
    this.#options = options;
    const { api, log, clock, random, date } = options;
    this.#queue = new WriteQueue<NodeWrite>({
      what: "the Node's status",
      send: async (write, signal) => {
        await api.request({ ...nodePatch(write, date()), signal });
      },
      isSame,
      mayWrite: () => true,
      clock,
      random,
      log,
      rate: { perSecond: 1, burst: 3 },
      concurrency: 1,
      confirmWithin: CONFIRM_WITHIN,
      onDepth: () => publish({ kind: 'write-queue', depth: this.#queue.depth }),
      onResult: (_, result) => publish({ kind: 'written', resource: 'nodes/status', result }),
    });
  }

  /** Begins to write; gives the function that ends it. */
  start(): () => void {
    const { node, ovs } = this.#options;
    this.#ends.push(node.onChange(() => this.#look()));
    this.#ends.push(ovs.onChange(() => this.#look()));
    this.#queue.start();
    this.#look();
    return () => {
      for (const end of this.#ends.splice(0)) end();
      this.#cancelGrace?.();
      this.#queue.stop();
    };
  }

  /** What keeps the agent from serving; undefined where it serves. The grace is for all reasons together. */
  setProblem(problem: string | undefined): void {
    this.#problem = problem ?? '';
    if (problem === undefined) {
      this.#cancelGrace?.();
      this.#cancelGrace = undefined;
      this.#condition = SERVING;
    } else {
      this.#cancelGrace ??= this.#options.clock.after(GRACE, () => {
        this.#cancelGrace = undefined;
        this.#condition = { status: 'True', reason: 'KubeNorthboundIsDown', message: this.#problem };
        this.#look();
      });
    }
    this.#look();
  }

  #look(): void {
    const { node } = this.#options;
    const { shown, systemId } = node;
    if (!shown) {
      this.#queue.delete(node.name);
      return;
    }
    const chassisId =
      systemId !== undefined && systemId !== (shown.chassisId ?? node.name) ? systemId : undefined;
    const condition = isSameCondition(this.#condition, shown.condition) ? undefined : this.#condition;
    if (chassisId === undefined && condition === undefined) this.#queue.delete(node.name);
    else this.#queue.set(node.name, { name: node.name, uid: shown.uid, chassisId, condition });
  }
}

/**
 * A strategic merge patch: of the list of conditions it changes the one of its type only (Kubernetes API,
 * NodeStatus.conditions, patchMergeKey). The uid makes the server refuse it for a successor of the same name.
 */
function nodePatch({ name, uid, chassisId, condition }: NodeWrite, date: Date): ApiRequest {
  const time = `${date.toISOString().slice(0, 19)}Z`;
  const times = { lastHeartbeatTime: time, lastTransitionTime: time };
  const conditions = condition && [{ type: 'NetworkUnavailable', ...condition, ...times }];
  return {
    method: 'PATCH',
    path: `/api/v1/nodes/${name}/status`,
    query: { fieldManager: FIELD_MANAGER },
    contentType: 'application/strategic-merge-patch+json',
    body: {
      metadata: { uid, ...(chassisId !== undefined && { annotations: { [NODE_CHASSIS_ID]: chassisId } }) },
      ...(conditions && { status: { conditions } }),
    },
  };
}

function isSame(a: NodeWrite, b: NodeWrite): boolean {
  return (
    a.uid === b.uid &&
    a.chassisId === b.chassisId &&
    (a.condition === b.condition || isSameCondition(a.condition, b.condition))
  );
}

/** Where nothing is wished, whatever there is will do. */
function isSameCondition(wish: ShownCondition | undefined, shown: ShownCondition | undefined): boolean {
  if (!wish) return true;
  return wish.status === shown?.status && wish.reason === shown.reason && wish.message === shown.message;
}
