import { basename, dirname } from 'node:path';
import { ManifestSource, type ObjectKey } from '../../cluster/manifest-source.ts';
import type { SourceChange } from '../../cluster/source.ts';
import type { Log } from '../../contracts/log.ts';
import { writeJson } from '../atomic-file.ts';
import { RunPaths } from '../paths.ts';
import { Limiter } from '../processes/limiter.ts';
import { readState, type SandboxState } from '../state.ts';
import { type LaneTools, PodLane } from './pod-lane.ts';
import { PodMaker } from './pod-maker.ts';
import { PodRecords } from './pod-record.ts';
import { type PodWish, podWish } from './pod-wish.ts';
import { isResponding } from './responders.ts';
import type { RunnerStatus } from './runner-status.ts';

/** Pods that are attached or detached at once. */
const PARALLEL = 8;
/** In ms: how long changes of the status may gather before the file is written. */
const STATUS_DELAY = 50;

/** Runs a sandbox's pods as its manifests change, until the function that it gives is called. */
export function runPods(stateFile: string, log: Log): () => void {
  const paths = new RunPaths(basename(dirname(stateFile)), dirname(dirname(stateFile)));
  const runner = new Runner(readState(paths), paths, log);
  return runner.start();
}

class Runner {
  readonly #state: SandboxState;
  readonly #paths: RunPaths;
  readonly #log: Log;
  readonly #nodes: ReadonlySet<string>;
  readonly #lanes = new Map<string, PodLane>();
  readonly #tools: LaneTools;
  readonly #records: PodRecords;
  /** Pods of an earlier runner that no reading of the manifests has named yet. */
  readonly #adopted = new Set<string>();
  #generation = 0;
  #synced = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(state: SandboxState, paths: RunPaths, log: Log) {
    const { name, nodes } = state.topology;
    this.#state = state;
    this.#paths = paths;
    this.#log = log;
    this.#nodes = new Set(nodes.map(node => node.name));
    this.#records = new PodRecords(paths.pods);
    const cniNodes = nodes.map(
      node => [node.name, { netns: node.netns, socket: paths.cniSocket(node.id) }] as const,
    );
    this.#tools = {
      maker: new PodMaker(name, new Map(cniNodes), this.#records),
      responding: record => isResponding(record, this.#records),
      limiter: new Limiter(PARALLEL),
      changed: () => this.#scheduleStatus(),
      failed: (pod, error) =>
        log.warn({ pod, error }, 'a pod cannot be brought to what is wanted; trying again'),
    };
  }

  start(): () => void {
    this.#adopt();
    const unwatch = new ManifestSource({ paths: this.#state.manifests, log: this.#log }).watch(change =>
      this.#take(change),
    );
    return () => {
      unwatch();
      clearTimeout(this.#timer);
      for (const lane of this.#lanes.values()) lane.stop();
    };
  }

  /** Pods that an earlier runner made. They rest until the manifests say whether they are still wanted. */
  #adopt(): void {
    const records = this.#records.list();
    for (const { namespace, name } of records) {
      const pod = `${namespace}/${name}`;
      if (this.#lanes.has(pod)) continue;
      const own = records.filter(record => `${record.namespace}/${record.name}` === pod);
      this.#lanes.set(pod, new PodLane(pod, own, this.#tools));
      this.#adopted.add(pod);
    }
    if (records.length > 0) this.#log.info({ pods: records.length }, 'pods of an earlier runner');
  }

  #take({ generation, synced, put, deleted }: SourceChange): void {
    this.#generation = generation;
    this.#synced = synced;
    for (const key of deleted) if (isPod(key)) this.#want(title(key), undefined);
    for (const object of put) if (isPod(object)) this.#want(title(object), podWish(object, this.#nodes));
    if (synced) for (const pod of this.#adopted) this.#want(pod, undefined);
    this.#scheduleStatus();
  }

  #want(pod: string, wish: PodWish | undefined): void {
    this.#adopted.delete(pod);
    const lane = this.#lanes.get(pod) ?? new PodLane(pod, [], this.#tools);
    this.#lanes.set(pod, lane);
    lane.want(wish);
  }

  #scheduleStatus(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#writeStatus();
    }, STATUS_DELAY);
  }

  #writeStatus(): void {
    const pods = [...this.#lanes].flatMap(([pod, lane]) => {
      const progress = lane.progress();
      if (!progress) this.#lanes.delete(pod);
      return progress ?? [];
    });
    const status: RunnerStatus = { generation: this.#generation, synced: this.#synced, pods };
    writeJson(this.#paths.runnerStatus, status);
  }
}

function isPod({ kind, apiVersion }: ObjectKey): boolean {
  return kind === 'Pod' && apiVersion === 'v1';
}

function title({ namespace, name }: ObjectKey): string {
  return `${namespace ?? ''}/${name}`;
}
