import { arch, release } from 'node:os';
import { isRaw, objectAt, type Raw } from '../../cluster/facts/raw.ts';
import type { SandboxNode } from '../hosts/topology.ts';

/** Go's names for what Node calls the machine. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
/** Far more than the machine has: pods of a sandbox are empty namespaces. */
const RESOURCES = { cpu: '64', memory: '256Gi', 'ephemeral-storage': '1Ti', pods: '250' };
/** Conditions of a node that is well, but for Ready; NetworkUnavailable is the agent's. */
const CONDITIONS = [
  { type: 'MemoryPressure', status: 'False', reason: 'KubeletHasSufficientMemory', message: '' },
  { type: 'DiskPressure', status: 'False', reason: 'KubeletHasNoDiskPressure', message: '' },
  { type: 'PIDPressure', status: 'False', reason: 'KubeletHasSufficientPID', message: '' },
];

/** The Node that a node registers: what its manifest says, where there is one, with the labels that every kubelet sets. */
export function nodeObject({ name }: SandboxNode, manifest: Raw | undefined): Raw {
  const { labels, annotations } = objectAt(manifest ?? {}, 'metadata');
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: { ...(isRaw(labels) ? labels : {}), ...nodeLabels(name) },
      ...(isRaw(annotations) ? { annotations } : {}),
    },
    spec: objectAt(manifest ?? {}, 'spec'),
  };
}

/**
 * A strategic merge patch that makes a Node's status that of a node which is well, and ready where there is no problem;
 * undefined where it is. `now` (RFC 3339) is when its conditions were last looked at, and the time of those that change.
 */
export function nodeStatusPatch(
  node: SandboxNode,
  current: Raw,
  problem: string | undefined,
  now: string,
): Raw | undefined {
  const status = objectAt(current, 'status');
  const conditions = [...CONDITIONS, readyCondition(problem)];
  const stale = conditions.some(wanted => {
    const had = conditionOf(status, wanted.type);
    return !had || !holds({ message: '', ...had }, { status: wanted.status, message: wanted.message });
  });
  const wanted = { addresses: nodeAddresses(node), capacity: RESOURCES, allocatable: RESOURCES, nodeInfo };
  if (!stale && holds(status, wanted)) return undefined;
  const patches = conditions.map(condition => {
    const had = conditionOf(status, condition.type);
    const turned = had?.status === condition.status ? {} : { lastTransitionTime: now };
    return { ...condition, lastHeartbeatTime: now, ...turned };
  });
  const addresses = Array.isArray(status.addresses) ? [{ $patch: 'replace' }] : [];
  return { status: { ...wanted, addresses: [...addresses, ...wanted.addresses], conditions: patches } };
}

/** Whether a node's status says that it is ready. */
export function isReady(current: Raw): boolean {
  return conditionOf(objectAt(current, 'status'), 'Ready')?.status === 'True';
}

/** The condition of a type, of a Node or of a Pod. */
export function conditionOf(status: Raw, type: string): Raw | undefined {
  const { conditions } = status;
  if (!Array.isArray(conditions)) return undefined;
  return conditions.filter(isRaw).find(condition => condition.type === type);
}

/** Whether an object of the API has all that is wanted of it; it may have more. */
export function holds(actual: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(actual) &&
      actual.length === wanted.length &&
      wanted.every((item, index) => holds(actual[index], item))
    );
  }
  if (!isRaw(wanted)) return actual === wanted;
  return isRaw(actual) && Object.entries(wanted).every(([key, value]) => holds(actual[key], value));
}

const nodeInfo = {
  machineID: '',
  systemUUID: '',
  bootID: '',
  kernelVersion: release(),
  osImage: 'network namespace',
  containerRuntimeVersion: 'kube-northbound-sandbox://1',
  kubeletVersion: 'kube-northbound-sandbox',
  kubeProxyVersion: '',
  operatingSystem: 'linux',
  architecture: architecture(),
};

function readyCondition(problem: string | undefined): Raw & { readonly type: string } {
  return problem === undefined
    ? { type: 'Ready', status: 'True', reason: 'KubeletReady', message: '' }
    : { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: problem };
}

function nodeLabels(name: string): Readonly<Record<string, string>> {
  return {
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': architecture(),
  };
}

function nodeAddresses({ name, addresses }: SandboxNode): readonly Raw[] {
  return [
    ...addresses.map(address => ({ type: 'InternalIP', address: address.split('/')[0] ?? address })),
    { type: 'Hostname', address: name },
  ];
}

function architecture(): string {
  return ARCHITECTURES[arch()] ?? arch();
}
