import type { Log } from '../../contracts/log.ts';
import type { Topology } from '../hosts/topology.ts';
import type { RunPaths } from '../paths.ts';
import { Limiter } from '../processes/limiter.ts';
import { type LaneTools, PodLane } from './pod-lane.ts';
import { PodMaker } from './pod-maker.ts';
import { type PodAttachment, type PodRecord, PodRecords } from './pod-record.ts';
import type { PodWish } from './pod-wish.ts';
import { isResponding } from './responders.ts';
import type { PodProgress } from './runner-status.ts';

/** Pods that are attached or detached at once on one node. */
const PARALLEL = 4;

/** How far a pod is, and what it has. */
export interface PodView extends PodProgress {
  /** undefined while it is not attached. */
  readonly attachment: PodAttachment | undefined;
}

/** Runs pods as they are wanted. */
export interface PodHost {
  /** undefined wants the pod away. */
  want(key: string, wish: PodWish | undefined): void;
  /** undefined where nothing is there and nothing is wanted. */
  look(key: string): PodView | undefined;
}

export interface PodLanesOptions {
  readonly topology: Topology;
  readonly paths: RunPaths;
  readonly log: Log;
  /** Pods with one key come one after the other: an old one goes before a new one comes. */
  readonly keyOf: (pod: Pick<PodRecord, 'namespace' | 'name' | 'uid'>) => string;
  /** What {@link PodHost.look} says of a pod may have changed. */
  readonly changed: (key: string) => void;
}

/** All pods of a sandbox, each in a lane. Those that an earlier runner made rest until somebody says whether they stay. */
export class PodLanes implements PodHost {
  readonly #options: PodLanesOptions;
  readonly #lanes = new Map<string, PodLane>();
  readonly #adopted = new Set<string>();
  readonly #tools: Omit<LaneTools, 'changed'>;

  constructor(options: PodLanesOptions) {
    const { topology, paths, log } = options;
    const records = new PodRecords(paths.pods);
    const nodes = topology.nodes.map(
      ({ name, netns, addresses, id }) => [name, { netns, addresses, socket: paths.cniSocket(id) }] as const,
    );
    const limiters = new Map(topology.nodes.map(({ name }) => [name, new Limiter(PARALLEL)]));
    const elsewhere = new Limiter(PARALLEL);
    this.#options = options;
    this.#tools = {
      maker: new PodMaker(topology.name, new Map(nodes), records),
      responding: record => isResponding(record, records),
      limiterOf: node => limiters.get(node) ?? elsewhere,
      failed: (pod, error) =>
        log.warn({ pod, error }, 'a pod cannot be brought to what is wanted; trying again'),
    };
    this.#adopt(records.list());
  }

  want(key: string, wish: PodWish | undefined): void {
    this.#adopted.delete(key);
    if (!wish && !this.#lanes.has(key)) return;
    const title = wish ? `${wish.namespace}/${wish.name}` : key;
    const lane = this.#lanes.get(key) ?? this.#add(key, title, []);
    lane.want(wish);
  }

  /** Removes the pods of an earlier runner that nobody has asked for since. */
  releaseAdopted(): void {
    for (const key of this.#adopted) this.want(key, undefined);
  }

  look(key: string): PodView | undefined {
    const lane = this.#lanes.get(key);
    const progress = lane?.progress();
    return progress && { ...progress, attachment: lane?.attachment() };
  }

  /** What there is to say of all pods. */
  progress(): readonly PodProgress[] {
    return [...this.#lanes.values()].flatMap(lane => lane.progress() ?? []);
  }

  /** Takes no further step. */
  stop(): void {
    for (const lane of this.#lanes.values()) lane.stop();
  }

  #adopt(records: readonly PodRecord[]): void {
    for (const key of new Set(records.map(this.#options.keyOf))) {
      const own = records.filter(record => this.#options.keyOf(record) === key);
      const [{ namespace, name }] = own as [PodRecord, ...PodRecord[]];
      this.#add(key, `${namespace}/${name}`, own);
      this.#adopted.add(key);
    }
    if (records.length > 0) this.#options.log.info({ pods: records.length }, 'pods of an earlier runner');
  }

  #add(key: string, title: string, records: readonly PodRecord[]): PodLane {
    const changed = () => {
      if (this.#lanes.get(key)?.progress() === undefined) this.#lanes.delete(key);
      this.#options.changed(key);
    };
    const lane = new PodLane(title, records, { ...this.#tools, changed });
    this.#lanes.set(key, lane);
    return lane;
  }
}
