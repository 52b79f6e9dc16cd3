import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { inNamespace } from '../hosts/namespace-command.ts';
import type { ProcessSpec } from '../processes/processes.ts';
import { Authority, type User, writeTokenKeys } from './certificates.ts';
import { writeKubeconfig } from './kubeconfig.ts';

/** A Kubernetes control plane on one host: all that is needed to make it, to start it, and to find it again. */
export interface ControlPlane {
  /** The folder of the programs. */
  readonly bin: string;
  /** The folder of its files. */
  readonly dir: string;
  /** Where the API server listens and says that it is. */
  readonly address: string;
  readonly ports: ControlPlanePorts;
  /** The network namespace that it runs in; the root namespace where none is named. */
  readonly netns?: string;
  /** More options of kube-apiserver; of an option that is given twice the last one counts. */
  readonly apiServerOptions?: readonly string[];
}

/** All but the API server's are on 127.0.0.1. */
export interface ControlPlanePorts {
  readonly api: number;
  readonly etcd: number;
  readonly etcdPeer: number;
  readonly controllerManager: number;
  readonly scheduler: number;
}

/** The range of Services' addresses, IPv4 first. */
const SERVICE_RANGE = '10.96.0.0/16,fd00:10:96::/112';
/** The first addresses of {@link SERVICE_RANGE}: those of the Service `kubernetes`. */
const SERVICE_IPS = ['10.96.0.1', 'fd00:10:96::1'];
const SERVICE_NAMES = ['', '.default', '.default.svc', '.default.svc.cluster.local'].map(
  suffix => `kubernetes${suffix}`,
);
const LOOPBACK = '127.0.0.1';
const ISSUER = 'https://kubernetes.default.svc.cluster.local';

/** The files of a control plane that others than its own programs know. */
export function controlPlaneFiles({ dir }: Pick<ControlPlane, 'dir'>) {
  return {
    authority: join(dir, 'pki', 'ca.crt'),
    /** Of a member of `system:masters`. */
    kubeconfig: kubeconfigFile(dir, 'admin'),
    /** One JSON document of audit.k8s.io/v1 on each line. */
    auditLog: join(dir, 'audit.log'),
  };
}

/** The API server's URL, by its own address. */
export function serverUrl({ address, ports }: Pick<ControlPlane, 'address' | 'ports'>): string {
  return `https://${address.includes(':') ? `[${address}]` : address}:${ports.api}`;
}

/**
 * Makes certificates, kubeconfigs and the audit policy; `dir` must exist. `outside` is the URL by which the administrator
 * reaches the API server.
 */
export async function createControlPlane(plane: ControlPlane, outside = serverUrl(plane)): Promise<void> {
  const { dir, address } = plane;
  const authority = controlPlaneAuthority(plane);
  await authority.create();
  await Promise.all([
    authority.server('kube-apiserver', {
      dns: ['localhost', ...SERVICE_NAMES],
      ips: [LOOPBACK, '::1', address, ...SERVICE_IPS],
    }),
    addUser(plane, 'admin', { name: 'sandbox-admin', groups: ['system:masters'] }, outside),
    addUser(plane, 'controller-manager', { name: 'system:kube-controller-manager' }),
    addUser(plane, 'scheduler', { name: 'system:kube-scheduler' }),
    mkdir(join(dir, 'etcd'), { mode: 0o700 }),
  ]);
  writeTokenKeys(tokenKeys(dir));
  writeFileSync(auditPolicy(dir), JSON.stringify(AUDIT_POLICY));
}

/** Whoever can sign certificates that the control plane believes. */
export function controlPlaneAuthority({ dir }: Pick<ControlPlane, 'dir'>): Authority {
  return new Authority(join(dir, 'pki'));
}

/**
 * The processes in the order in which they start. Clients must not start before the API server is ready: until it has
 * written its own RBAC it refuses them, and then they end. To be stopped the other way round: without etcd the API
 * server's end takes a minute.
 */
export function controlPlaneProcesses(plane: ControlPlane): {
  readonly servers: readonly ProcessSpec[];
  readonly clients: readonly ProcessSpec[];
} {
  return { servers: [etcd(plane), apiServer(plane)], clients: [controllerManager(plane), scheduler(plane)] };
}

/** Every request once it is answered: who, what, and whether it was allowed (annotation `authorization.k8s.io/decision`). */
const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
};

function etcd(plane: ControlPlane): ProcessSpec {
  const { dir, ports } = plane;
  const client = `http://${LOOPBACK}:${ports.etcd}`;
  const peer = `http://${LOOPBACK}:${ports.etcdPeer}`;
  return service(plane, 'etcd', [
    `--data-dir=${join(dir, 'etcd')}`,
    ...[`--listen-client-urls=${client}`, `--advertise-client-urls=${client}`],
    ...[
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
    ],
    // What it holds need not outlive the machine, but its processes: those are killed, and the page cache stays.
    '--unsafe-no-fsync',
    '--log-level=warn',
  ]);
}

function apiServer(plane: ControlPlane): ProcessSpec {
  const { dir, address, ports, apiServerOptions = [] } = plane;
  const authority = controlPlaneAuthority(plane);
  const serving = authority.files('kube-apiserver');
  const tokens = tokenKeys(dir);
  return service(plane, 'kube-apiserver', [
    `--audit-log-path=${controlPlaneFiles(plane).auditLog}`,
    `--etcd-servers=http://${LOOPBACK}:${ports.etcd}`,
    ...[`--bind-address=${address}`, `--advertise-address=${address}`, `--secure-port=${ports.api}`],
    ...[`--tls-cert-file=${serving.certificate}`, `--tls-private-key-file=${serving.key}`],
    `--client-ca-file=${authority.files().certificate}`,
    ...[
      `--service-account-key-file=${tokens.certificate}`,
      `--service-account-signing-key-file=${tokens.key}`,
    ],
    `--service-account-issuer=${ISSUER}`,
    `--service-cluster-ip-range=${SERVICE_RANGE}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    `--audit-policy-file=${auditPolicy(dir)}`,
    ...apiServerOptions,
  ]);
}

function controllerManager(plane: ControlPlane): ProcessSpec {
  const { dir, ports } = plane;
  return service(plane, 'kube-controller-manager', [
    ...client(plane, 'controller-manager', ports.controllerManager),
    '--use-service-account-credentials',
    `--service-account-private-key-file=${tokenKeys(dir).key}`,
    `--root-ca-file=${controlPlaneFiles(plane).authority}`,
    '--allocate-node-cidrs=false',
  ]);
}

function scheduler(plane: ControlPlane): ProcessSpec {
  return service(plane, 'kube-scheduler', client(plane, 'scheduler', plane.ports.scheduler));
}

/** Options that the controller manager and the scheduler have in common. */
function client({ dir }: ControlPlane, user: string, port: number): readonly [string, ...string[]] {
  const kubeconfig = kubeconfigFile(dir, user);
  return [
    `--cert-dir=${join(dir, 'pki', user)}`,
    ...['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'].map(
      option => `--${option}=${kubeconfig}`,
    ),
    '--leader-elect=false',
    ...[`--bind-address=${LOOPBACK}`, `--secure-port=${port}`],
  ];
}

/** The first option names a file that no other program is told of. */
function service(
  { bin, dir, netns }: ControlPlane,
  name: string,
  [marker, ...options]: readonly [string, ...string[]],
): ProcessSpec {
  const command = { file: join(bin, name), args: [marker, ...options] };
  return {
    name,
    command: netns === undefined ? command : inNamespace(netns, command),
    pidfile: join(dir, `${name}.pid`),
    marker,
    output: join(dir, `${name}.log`),
    kind: 'service',
  };
}

/** Writes a kubeconfig with a certificate of its own for a user. */
export async function addUser(
  plane: ControlPlane,
  file: string,
  user: User,
  server = serverUrl(plane),
): Promise<void> {
  const credentials = await controlPlaneAuthority(plane).client(file, user);
  const { authority } = controlPlaneFiles(plane);
  writeKubeconfig(kubeconfigFile(plane.dir, file), { server, authority, credentials });
}

function kubeconfigFile(dir: string, user: string): string {
  return join(dir, `${user}.kubeconfig`);
}

function auditPolicy(dir: string): string {
  return join(dir, 'audit-policy.json');
}

function tokenKeys(dir: string) {
  return new Authority(join(dir, 'pki')).files('service-accounts');
}
