import { isRaw, objectAt, type Raw } from '../../cluster/facts/raw.ts';

/** What all containers of a pod have in common: they come and go as one. */
export interface ContainersState {
  readonly running: boolean;
  /** All that the pod declares is answered. */
  readonly ready: boolean;
  /** Why the last try to attach the pod failed. */
  readonly problem: string | undefined;
  /** The time of what begins now, RFC 3339. */
  readonly now: string;
}

/** The status of a container that goes on running; `old` is what the pod's status says of it so far. */
export function containerStatus(
  container: Raw,
  old: Raw,
  { running, ready, problem, now }: ContainersState,
): Raw {
  const state = running ? { running: { startedAt: startOf(old, 'running') ?? now } } : waiting(problem);
  return { ...named(container), ready, started: running, state };
}

/** The status of an init container: a sidecar goes on running, others have ended well once the pod runs. */
export function initContainerStatus(container: Raw, old: Raw, state: ContainersState): Raw {
  if (container.restartPolicy === 'Always') return containerStatus(container, old, state);
  const { running, now } = state;
  if (!running) return { ...named(container), ready: false, started: false, state: waiting(state.problem) };
  const startedAt = startOf(old, 'terminated') ?? now;
  const terminated = { exitCode: 0, reason: 'Completed', startedAt, finishedAt: startedAt };
  return { ...named(container), ready: true, started: false, state: { terminated } };
}

function named({ name, image }: Raw): Raw {
  return { name, image: image ?? '', imageID: '', restartCount: 0 };
}

function waiting(message: string | undefined): Raw {
  return { waiting: { reason: 'ContainerCreating', ...(message === undefined ? {} : { message }) } };
}

function startOf(old: Raw, state: 'running' | 'terminated'): string | undefined {
  const { startedAt } = objectAt(old, 'state', state);
  return typeof startedAt === 'string' ? startedAt : undefined;
}

/** What a list of a pod's status says of a container; empty where it says nothing. */
export function statusOf(statuses: unknown, { name }: Raw): Raw {
  const found = Array.isArray(statuses)
    ? statuses.filter(isRaw).find(status => status.name === name)
    : undefined;
  return found ?? {};
}
