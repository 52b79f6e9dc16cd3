import { existsSync, readFileSync } from 'node:fs';
import type { Log } from '../../contracts/log.ts';
import type { RunPaths } from '../paths.ts';
import { poll } from '../processes/poll.ts';
import { isAlive, type ProcessFacts } from '../processes/proc.ts';
import type { ProcessSpec } from '../processes/processes.ts';
import { type PodProgress, type RunnerStatus, readRunnerStatus } from './runner-status.ts';

/** Objects that the master refuses, from its status file. */
export interface RefusedObject {
  /** `Kind namespace/name` */
  readonly object: string;
  readonly reason: string;
}

/** A process and what it was right after its start. */
export interface StartedProcess {
  readonly spec: ProcessSpec;
  readonly started: ProcessFacts;
}

const BASE_TIMEOUT = 60_000;
const TIMEOUT_PER_POD = 1_000;

/**
 * Waits until every pod of the manifests is attached and listens. Resolves to what is missing; it gives up early where a
 * process has ended or nothing is left to wait for but pods that the master refuses.
 */
export async function awaitPods(
  paths: RunPaths,
  processes: readonly StartedProcess[],
  log: Log,
  timeout?: number,
): Promise<readonly string[]> {
  const started = performance.now();
  let told = -1;
  const finished = await poll(Number.POSITIVE_INFINITY, () => {
    const status = readRunnerStatus(paths.runnerStatus);
    const ready = status?.pods.filter(pod => pod.state === 'ready').length ?? 0;
    const all = status?.pods.length ?? 0;
    if (status && status.generation > 0 && ready !== told) {
      told = ready;
      log.info({ ready, pods: all }, 'pods attached and listening');
    }
    const dead = processes.filter(({ started }) => !isAlive(started));
    const over = performance.now() - started > (timeout ?? BASE_TIMEOUT + all * TIMEOUT_PER_POD);
    return dead.length > 0 || over || isSettled(status, refusals(paths)) ? { status, dead } : undefined;
  });
  const missing = missingPods(finished?.status, refusals(paths));
  return [
    ...(finished?.dead ?? []).map(({ spec }) => `${spec.name} has ended: see ${spec.output}`),
    ...missing,
  ];
}

/** Whether nothing more is to be expected: all pods are ready, or refused by the master. */
export function isSettled(status: RunnerStatus | undefined, refused: readonly RefusedObject[]): boolean {
  if (!status || status.generation === 0) return false;
  return status.pods.every(pod => pod.state === 'ready' || refusalOf(pod, refused) !== undefined);
}

/** One sentence for each pod that is not ready. */
export function missingPods(
  status: RunnerStatus | undefined,
  refused: readonly RefusedObject[],
): readonly string[] {
  if (!status || status.generation === 0) return ['the runner has not read the manifests yet'];
  return status.pods
    .filter(pod => pod.state !== 'ready')
    .map(pod => {
      const reason = refusalOf(pod, refused) ?? pod.problem ?? 'it is still being attached';
      return `Pod ${pod.namespace}/${pod.name} on ${pod.node} is not ready: ${reason}`;
    });
}

function refusalOf(pod: PodProgress, refused: readonly RefusedObject[]): string | undefined {
  return refused.find(({ object }) => object === `Pod ${pod.namespace}/${pod.name}`)?.reason;
}

function refusals(paths: RunPaths): readonly RefusedObject[] {
  if (!existsSync(paths.masterStatus)) return [];
  const { refused } = JSON.parse(readFileSync(paths.masterStatus, 'utf8')) as {
    refused?: readonly RefusedObject[];
  };
  return refused ?? [];
}
