import { existsSync, readFileSync } from 'node:fs';
import { writeJson } from '../atomic-file.ts';

/** In ms: how long changes may gather before the file is written. */
const DELAY = 50;

/** How far one pod is. */
export interface PodProgress {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  /** `ready`: attached, and every port listens. `leaving`: its namespace is being removed. */
  readonly state: 'waiting' | 'ready' | 'leaving';
  /** Why the last try failed. */
  readonly problem?: string;
}

/** What the runner is at; it rewrites its file atomically at every change. */
export interface RunnerStatus {
  /** Readings of the manifests; 0 before the first. With Kubernetes 1 once all Nodes are ready and all pods are known. */
  readonly generation: number;
  /** false while a file cannot be read or parsed, or not all pods are known: nothing is removed then. */
  readonly synced: boolean;
  readonly pods: readonly PodProgress[];
}

/** Reads the runner's file; undefined where it has not written one yet. */
export function readRunnerStatus(path: string): RunnerStatus | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as RunnerStatus) : undefined;
}

/** Writes the runner's file soon after it was told that something has changed. */
export class RunnerStatusFile {
  readonly #path: string;
  readonly #status: () => RunnerStatus;
  #timer: NodeJS.Timeout | undefined;

  constructor(path: string, status: () => RunnerStatus) {
    this.#path = path;
    this.#status = status;
  }

  changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      writeJson(this.#path, this.#status());
    }, DELAY);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
