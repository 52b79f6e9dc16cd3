import { existsSync, readFileSync } from 'node:fs';

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
  /** Readings of the manifests; 0 before the first. */
  readonly generation: number;
  /** false while a file cannot be read or parsed: nothing is removed then. */
  readonly synced: boolean;
  readonly pods: readonly PodProgress[];
}

/** Reads the runner's file; undefined where it has not written one yet. */
export function readRunnerStatus(path: string): RunnerStatus | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as RunnerStatus) : undefined;
}
