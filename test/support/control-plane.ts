import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { User } from '../../src/sandbox/kubernetes/certificates.ts';
import {
  type ControlPlane,
  controlPlaneAuthority,
  controlPlaneFiles,
  controlPlaneProcesses,
  createControlPlane,
  serverUrl,
} from '../../src/sandbox/kubernetes/control-plane.ts';
import { writeKubeconfig } from '../../src/sandbox/kubernetes/kubeconfig.ts';
import { kubectl } from '../../src/sandbox/kubernetes/kubectl.ts';
import { findPrograms } from '../../src/sandbox/kubernetes/programs.ts';
import { awaitApiServer } from '../../src/sandbox/kubernetes/readiness.ts';
import { processOf, signalProcess } from '../../src/sandbox/processes/proc.ts';
import {
  killProcess,
  type ProcessSpec,
  startProcess,
  stopProcess,
} from '../../src/sandbox/processes/processes.ts';
import { keepAuditLog } from './audit.ts';
import { freePorts } from './ovsdb-server.ts';
import { describeIf } from './skip.ts';

const COMMAND = join(__dirname, '../../bin/kube-northbound');

/**
 * The folder of the programs, or why they cannot be had. Builds them where they are missing: some minutes. `npm test` does
 * that beforehand, and says why not.
 */
const programs = availablePrograms();

/**
 * `describe` for tests that need a real API server; skipped with the reason where its programs cannot be had.
 *
 *     describeWithControlPlane('the reflector', () => {
 *       let plane: TestControlPlane;
 *       beforeAll(async () => { plane = await controlPlane(); });
 *       afterAll(() => plane.stop());
 */
export const describeWithControlPlane = describeIf(
  'bin' in programs,
  'bin' in programs ? '' : programs.reason,
);

interface TestControlPlaneOptions {
  /**
   * Also the controller manager and the scheduler. Without, nothing makes ServiceAccounts, nothing is scheduled, and pods
   * need no ServiceAccount.
   */
  readonly controllers?: boolean;
  /** More options of kube-apiserver, e.g. `--watch-cache=false` so that compaction makes watches end with 410 at once. */
  readonly apiServerOptions?: readonly string[];
  /** The test itself speaks in the name of our ServiceAccounts: what it asks for says nothing about master and agents. */
  readonly isProbe?: boolean;
}

/** One line of the audit log, as far as tests look at it (audit.k8s.io/v1, Event). */
export interface AuditEvent {
  readonly stage: 'ResponseStarted' | 'ResponseComplete' | 'Panic';
  readonly requestURI: string;
  readonly verb: string;
  readonly user: { readonly username: string; readonly groups?: readonly string[] };
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number; readonly reason?: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Starts a real etcd and kube-apiserver on free ports of 127.0.0.1; the API is ready when this resolves. */
export async function controlPlane(options: TestControlPlaneOptions = {}): Promise<TestControlPlane> {
  if (!('bin' in programs)) throw new Error(programs.reason);
  const { controllers = false, apiServerOptions = [], isProbe = false } = options;
  const [api = 0, etcd = 0, etcdPeer = 0, controllerManager = 0, scheduler = 0] = await freePorts(5);
  const plane: ControlPlane = {
    bin: programs.bin,
    dir: mkdtempSync(join(tmpdir(), 'control-plane-')),
    address: '127.0.0.1',
    ports: { api, etcd, etcdPeer, controllerManager, scheduler },
    apiServerOptions: [
      ...(controllers ? [] : ['--disable-admission-plugins=ServiceAccount']),
      // A server on 127.0.0.1 cannot be an endpoint of the Service `kubernetes`.
      '--endpoint-reconciler-type=none',
      ...apiServerOptions,
    ],
  };
  const running = new TestControlPlane(plane, { controllers, isProbe });
  try {
    await running.start();
    return running;
  } catch (error) {
    await running.stop();
    throw error;
  }
}

/** A control plane of a test's own. */
export class TestControlPlane {
  /** URL of the API server. */
  readonly server: string;
  /** Of a member of `system:masters`. */
  readonly kubeconfig: string;
  readonly auditLog: string;
  /** The folder with kubectl. */
  readonly bin: string;
  /** A folder for whatever belongs to the control plane; removed when it stops. */
  readonly folder: string;
  readonly #plane: ControlPlane;
  readonly #isProbe: boolean;
  readonly #servers: readonly ProcessSpec[];
  readonly #clients: readonly ProcessSpec[];
  #kubeconfigs = 0;
  #users = 0;

  constructor(
    plane: ControlPlane,
    { controllers, isProbe }: { readonly controllers: boolean; readonly isProbe: boolean },
  ) {
    const { kubeconfig, auditLog } = controlPlaneFiles(plane);
    this.#plane = plane;
    this.#isProbe = isProbe;
    const { servers, clients } = controlPlaneProcesses(plane);
    this.#servers = servers.map(endingWithUs);
    this.#clients = controllers ? clients.map(endingWithUs) : [];
    this.server = serverUrl(plane);
    this.kubeconfig = kubeconfig;
    this.auditLog = auditLog;
    this.bin = plane.bin;
    this.folder = plane.dir;
  }

  async start(): Promise<void> {
    await createControlPlane(this.#plane);
    for (const spec of this.#servers) await startProcess(spec);
    await this.ready();
    for (const spec of this.#clients) await startProcess(spec);
  }

  /** Stops everything and removes the folder. */
  async stop(): Promise<void> {
    for (const spec of [...this.#servers, ...this.#clients].reverse()) await stopProcess(spec);
    if (!this.#isProbe) keepAuditLog(this.auditLog, 'integration');
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Waits until the API server is ready. */
  async ready(): Promise<void> {
    const { authority } = controlPlaneFiles(this.#plane);
    await awaitApiServer([this.#spec('kube-apiserver')], { server: this.server, authority });
  }

  /**
   * Stops the API server: by SIGKILL as a crash would, or in order; then it waits for clients that do not go, for at most
   * 10 s.
   */
  async stopApiServer(how: 'in order' | 'killed' = 'in order'): Promise<void> {
    await (how === 'killed' ? killProcess : stopProcess)(this.#spec('kube-apiserver'));
  }

  /** Starts it again, on the same port; it is ready when this resolves. */
  async startApiServer(): Promise<void> {
    await startProcess(this.#spec('kube-apiserver'));
    await this.ready();
  }

  /** Sends a signal to a process, e.g. SIGSTOP to make its connections half-open, and SIGCONT. */
  signal(name: 'etcd' | 'kube-apiserver', signal: NodeJS.Signals): void {
    const { pidfile, marker } = this.#spec(name);
    const target = processOf(pidfile, marker);
    if (!target) throw new Error(`${name} does not run`);
    signalProcess(target, signal);
  }

  /**
   * Lets etcd forget everything but the newest revision, which it gives. The API server's watch cache goes on serving
   * older ones: start it with `--watch-cache=false`, or restart it, to have watches from them end with 410.
   */
  async compact(): Promise<number> {
    const { header } = await this.#etcd<{ header: { revision: string } }>('kv/range', { key: 'AA==' });
    await this.#etcd('kv/compaction', { revision: header.revision, physical: true });
    return Number(header.revision);
  }

  /** Runs kubectl as the administrator; gives its standard output. */
  kubectl(args: readonly string[], input?: string): Promise<string> {
    const options = input === undefined ? {} : { input };
    return kubectl({ bin: this.bin, kubeconfig: this.kubeconfig }, args, options);
  }

  /** Creates or changes objects. */
  async apply(...items: readonly object[]): Promise<void> {
    const list = { apiVersion: 'v1', kind: 'List', items };
    await this.kubectl(['apply', '-f', '-'], JSON.stringify(list));
  }

  /**
   * A kubeconfig with a real token of a ServiceAccount that exists. `seconds`: how long it is valid, at least 600; `node`:
   * the Node that it is bound to, as a pod's token is.
   */
  async kubeconfigFor(account: {
    readonly namespace: string;
    readonly serviceAccount: string;
    readonly seconds?: number;
    readonly node?: string;
  }): Promise<string> {
    const { namespace, serviceAccount, seconds = 3600, node } = account;
    const token = await this.kubectl([
      ...['create', 'token', serviceAccount, '-n', namespace, `--duration=${seconds}s`],
      ...(node === undefined ? [] : ['--bound-object-kind=Node', `--bound-object-name=${node}`]),
    ]);
    return this.#writeKubeconfig({ token: token.trim() });
  }

  /** A kubeconfig with the certificate of a user, e.g. `system:node:worker-1` of the group `system:nodes`. */
  async kubeconfigForUser(user: User): Promise<string> {
    this.#users += 1;
    const file = `user-${this.#users}`;
    return this.#writeKubeconfig(await controlPlaneAuthority(this.#plane).client(file, user));
  }

  /** Every request that was answered so far, in order; a watch is in it when it starts and when it ends. */
  audit(): readonly AuditEvent[] {
    const lines = readFileSync(this.auditLog, 'utf8').split('\n');
    return lines.slice(0, -1).map(line => JSON.parse(line) as AuditEvent);
  }

  #writeKubeconfig(credentials: Parameters<typeof writeKubeconfig>[1]['credentials']): string {
    this.#kubeconfigs += 1;
    const file = join(this.folder, `test-${this.#kubeconfigs}.kubeconfig`);
    const { authority } = controlPlaneFiles(this.#plane);
    writeKubeconfig(file, { server: this.server, authority, credentials });
    return file;
  }

  #spec(name: string): ProcessSpec {
    const found = this.#servers.find(spec => spec.name === name);
    if (!found) throw new Error(`there is no ${name}`);
    return found;
  }

  /** A request to etcd's JSON gateway. */
  async #etcd<T>(path: string, body: object): Promise<T> {
    const answer = await fetch(`http://127.0.0.1:${this.#plane.ports.etcd}/v3/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`etcd ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }
}

/** Tests may be killed, and then nobody would stop what they started. */
function endingWithUs(spec: ProcessSpec): ProcessSpec {
  const { file, args } = spec.command;
  return { ...spec, command: { file: 'setpriv', args: ['--pdeathsig', 'KILL', file, ...args] } };
}

function availablePrograms(): { readonly bin: string } | { readonly reason: string } {
  const known = process.env.KUBE_NORTHBOUND_NO_CONTROL_PLANE;
  if (known) return { reason: known };
  try {
    const bin = findPrograms();
    if (bin !== undefined) return { bin };
  } catch (error) {
    return { reason: (error as Error).message };
  }
  const fetched = spawnSync(COMMAND, ['sandbox', 'fetch', '--kubernetes'], { encoding: 'utf8' });
  if (fetched.status === 0) return { bin: fetched.stdout.trim() };
  const said = fetched.error?.message ?? fetched.stderr;
  return { reason: said.trim().split('\n').at(-1) ?? '' };
}
