import { isRaw, listOf, objectAt, type Raw, textOf } from '../../cluster/facts/raw.ts';
import type { PodView } from '../pods/pod-host.ts';
import { type ContainersState, containerStatus, initContainerStatus, statusOf } from './container-status.ts';
import { conditionOf, holds } from './node-object.ts';

/** How far a pod is, as its status has to say it. */
export type PodState = Pick<PodView, 'state' | 'problem' | 'attachment'>;

/** Lists that a strategic merge patch merges by address. */
const MERGED = ['hostIPs', 'podIPs'];

/**
 * A strategic merge patch for the status subresource of a Pod, with its uid as a precondition; undefined where the status
 * says what it should. A pod is `Pending` until it is attached and answers on its ports for the first time, and `Running`
 * from then on; it is Ready while it answers and all its readiness gates are true. `now` is a time in RFC 3339.
 */
export function podStatusPatch(
  pod: Raw,
  state: PodState,
  nodeIps: readonly string[],
  now: string,
): Raw | undefined {
  const status = objectAt(pod, 'status');
  const containers: ContainersState = {
    running: status.phase === 'Running' || state.state === 'ready',
    ready: state.state === 'ready',
    problem: state.problem,
    now,
  };
  const fields = Object.entries(wantedFields(pod, status, containers, state, nodeIps))
    .filter(([field, value]) => !holds(status[field], value))
    .map(([field, value]) => [field, MERGED.includes(field) ? replacing(status[field], value) : value]);
  const conditions = changedConditions(pod, status, containers);
  if (fields.length === 0 && conditions.length === 0) return undefined;
  const { uid } = objectAt(pod, 'metadata');
  const changes = { ...Object.fromEntries(fields), ...(conditions.length === 0 ? {} : { conditions }) };
  return { metadata: { uid }, status: changes };
}

/** Whether the pod's status says that all its containers run and answer. */
export function isRunning(pod: Raw): boolean {
  const status = objectAt(pod, 'status');
  return status.phase === 'Running' && conditionOf(status, 'ContainersReady')?.status === 'True';
}

function wantedFields(
  pod: Raw,
  status: Raw,
  containers: ContainersState,
  { attachment }: PodState,
  nodeIps: readonly string[],
): Readonly<Record<string, unknown>> {
  const spec = objectAt(pod, 'spec');
  const plain = listOf(spec, 'containers', 'spec').filter(isRaw);
  const init = listOf(spec, 'initContainers', 'spec').filter(isRaw);
  const podIps = containers.running ? (attachment?.ips ?? []) : [];
  return {
    phase: containers.running ? 'Running' : 'Pending',
    startTime: textOf(status, 'startTime', 'status') ?? containers.now,
    ...addressFields('host', nodeIps),
    ...addressFields('pod', podIps),
    containerStatuses: plain.map(container =>
      containerStatus(container, statusOf(status.containerStatuses, container), containers),
    ),
    ...(init.length > 0 && {
      initContainerStatuses: init.map(container =>
        initContainerStatus(container, statusOf(status.initContainerStatuses, container), containers),
      ),
    }),
  };
}

/** `hostIP` and `hostIPs`, `podIP` and `podIPs`: the first address, and all. */
function addressFields(of: 'host' | 'pod', ips: readonly string[]): Raw {
  return ips.length === 0 ? {} : { [`${of}IP`]: ips[0], [`${of}IPs`]: ips.map(ip => ({ ip })) };
}

function replacing(old: unknown, items: unknown): unknown {
  return Array.isArray(old) && Array.isArray(items) ? [{ $patch: 'replace' }, ...items] : items;
}

/** Those conditions that do not say what they should; a false one says what the problem is. Others' types stay theirs. */
function changedConditions(
  pod: Raw,
  status: Raw,
  { running, ready, problem, now }: ContainersState,
): readonly Raw[] {
  const spec = objectAt(pod, 'spec');
  const gates = listOf(spec, 'readinessGates', 'spec').flatMap(gate =>
    isRaw(gate) ? gate.conditionType : [],
  );
  const open = gates.every(type => conditionOf(status, String(type))?.status === 'True');
  const wanted = {
    PodScheduled: true,
    Initialized: running || listOf(spec, 'initContainers', 'spec').length === 0,
    ContainersReady: ready,
    Ready: ready && open,
  };
  return Object.entries(wanted).flatMap(([type, is]) => {
    const old = conditionOf(status, type);
    const said = is ? { status: 'True' } : { status: 'False', message: problem ?? '' };
    if (old && holds({ message: '', ...old }, said)) return [];
    const turned = old?.status === said.status ? {} : { lastTransitionTime: now };
    return { type, message: '', reason: is ? '' : 'ContainersNotReady', ...said, ...turned };
  });
}
