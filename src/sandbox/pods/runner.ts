import { basename, dirname } from 'node:path';
import { ManifestSource, type ObjectKey } from '../../cluster/manifest-source.ts';
import type { SourceChange } from '../../cluster/source.ts';
import type { Log } from '../../contracts/log.ts';
import { runKubelet } from '../kubelet/run-kubelet.ts';
import { RunPaths } from '../paths.ts';
import { readState, type SandboxState } from '../state.ts';
import { PodLanes } from './pod-host.ts';
import { podWish } from './pod-wish.ts';
import { RunnerStatusFile } from './runner-status.ts';

/** Runs a sandbox's pods as its manifests or its API server have them, until the function that it gives is called. */
export async function runPods(stateFile: string, log: Log): Promise<() => void> {
  const paths = new RunPaths(basename(dirname(stateFile)), dirname(dirname(stateFile)));
  const state = readState(paths);
  return state.kubernetes ? runKubelet(state, paths, log) : new Runner(state, paths, log).start();
}

/** A pod waits until an older one of its name is gone: with manifests that is all that tells of its end. */
class Runner {
  readonly #state: SandboxState;
  readonly #log: Log;
  readonly #nodes: ReadonlySet<string>;
  readonly #lanes: PodLanes;
  readonly #file: RunnerStatusFile;
  #generation = 0;
  #synced = false;

  constructor(state: SandboxState, paths: RunPaths, log: Log) {
    const { topology } = state;
    this.#state = state;
    this.#log = log;
    this.#nodes = new Set(topology.nodes.map(node => node.name));
    this.#file = new RunnerStatusFile(paths.runnerStatus, () => ({
      generation: this.#generation,
      synced: this.#synced,
      pods: this.#lanes.progress(),
    }));
    const changed = () => this.#file.changed();
    this.#lanes = new PodLanes({ topology, paths, log, keyOf: title, changed });
  }

  start(): () => void {
    const { manifests } = this.#state;
    const unwatch = new ManifestSource({ paths: manifests, log: this.#log }).watch(change =>
      this.#take(change),
    );
    return () => {
      unwatch();
      this.#file.stop();
      this.#lanes.stop();
    };
  }

  #take({ generation, synced, put, deleted }: SourceChange): void {
    this.#generation = generation;
    this.#synced = synced;
    for (const key of deleted) if (isPod(key)) this.#lanes.want(title(key), undefined);
    for (const object of put)
      if (isPod(object)) this.#lanes.want(title(object), podWish(object, this.#nodes));
    if (synced) this.#lanes.releaseAdopted();
    this.#file.changed();
  }
}

function isPod({ kind, apiVersion }: ObjectKey): boolean {
  return kind === 'Pod' && apiVersion === 'v1';
}

function title({ namespace, name }: Pick<ObjectKey, 'namespace' | 'name'>): string {
  return `${namespace ?? ''}/${name}`;
}
