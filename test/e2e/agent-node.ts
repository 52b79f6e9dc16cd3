import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { run as runProgram } from '../../src/node/system/run.ts';
import { noteNetnsMount, removeNetnsMount } from '../../src/sandbox/hosts/netns-mount.ts';
import type { OvnRoot } from '../../src/sandbox/ovn/ovn-root.ts';

export const NODE = 'worker-1';
const ENCAP_IP = '172.30.0.11';

/** What the plugin printed, and its exit status. */
export interface PluginResult {
  readonly status: number;
  readonly output: Readonly<Record<string, unknown>>;
}

/** OVN's central part, one chassis and our agent, all in one network namespace; pods in theirs. */
export class AgentNode {
  readonly root: OvnRoot;
  readonly folder: string;
  readonly netns: string;
  readonly #processes = new Map<string, ChildProcess>();
  readonly #namespaces: string[] = [];

  constructor(root: OvnRoot) {
    this.root = root;
    this.folder = mkdtempSync(join(tmpdir(), 'knba-'));
    this.netns = `knba-${process.pid}-node`;
  }

  async start(): Promise<void> {
    noteNetnsMount({ base: this.folder });
    await this.addNamespace(this.netns);
    await this.inNode('ip', 'link', 'set', 'dev', 'lo', 'up');
    await this.inNode('ip', 'address', 'add', `${ENCAP_IP}/32`, 'dev', 'lo');
    await bundlePrograms(this.folder);
    for (const [name, schema] of [
      ['nb', 'ovn-nb'],
      ['sb', 'ovn-sb'],
      ['ovs', 'vswitch'],
    ] as const) {
      await this.tool('ovsdb-tool', 'create', this.path(`${name}.db`), this.root.schemaPath(schema));
      await this.startDatabase(name);
    }
    await this.vsctl('init');
    await this.vsctl('set', 'Open_vSwitch', '.', 'external_ids:ovn-bridge-datapath-type=netdev');
    this.#spawn('northd', 'ovn-northd', `--ovnnb-db=${this.socket('nb')}`, `--ovnsb-db=${this.socket('sb')}`);
    await this.startSwitch();
    this.startController();
    await this.startAgent();
  }

  /** Ends everything that was started, by pid, and removes what was made. */
  async stop(): Promise<void> {
    for (const name of [...this.#processes.keys()].reverse()) await this.kill(name, 'SIGKILL');
    for (const name of this.#namespaces) await runProgram(['ip', 'netns', 'delete', name]);
    await removeNetnsMount({ base: this.folder });
    rmSync(this.folder, { recursive: true, force: true });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  socket(database: string): string {
    return `unix:${this.path(`${database}.sock`)}`;
  }

  async addNamespace(name: string): Promise<string> {
    await runProgram(['ip', 'netns', 'add', name]);
    this.#namespaces.push(name);
    return `/run/netns/${name}`;
  }

  async deleteNamespace(name: string): Promise<void> {
    this.#namespaces.splice(this.#namespaces.indexOf(name), 1);
    await runProgram(['ip', 'netns', 'delete', name]);
  }

  async startDatabase(name: string): Promise<void> {
    this.#spawn(name, 'ovsdb-server', `--remote=p${this.socket(name)}`, this.path(`${name}.db`));
    await eventually(`${name} listens`, () => this.tool('ovsdb-client', 'list-dbs', this.socket(name)));
  }

  async startSwitch(): Promise<void> {
    this.#spawn('vswitchd', 'ovs-vswitchd', '--disable-system', this.socket('ovs'));
    await this.vsctl('--timeout=20', 'get', 'Open_vSwitch', '.', 'ovs_version');
  }

  startController(): void {
    this.#spawn('controller', 'ovn-controller', this.socket('ovs'));
  }

  async startAgent(...extra: readonly string[]): Promise<void> {
    this.#start('agent', this.#agentCommand(extra));
    // One that was killed has left its socket.
    await eventually('the agent serves', () => accepts(this.path('cni.sock')));
  }

  /** Runs another agent to its end. */
  async runAgent(
    ...extra: readonly string[]
  ): Promise<{ readonly status: number | null; readonly stderr: string }> {
    const child = spawn('ip', ['netns', 'exec', this.netns, ...this.#agentCommand(extra)], { stdio: 'pipe' });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', text => {
      stderr += text;
    });
    const status = await new Promise<number | null>(resolve => child.on('close', resolve));
    return { status, stderr };
  }

  #agentCommand(extra: readonly string[]): readonly string[] {
    const options = ['--node-name', NODE, '--ovs', this.socket('ovs'), '--sb', this.socket('sb')];
    const own = ['--manifests', this.folder, '--encap-ip', ENCAP_IP, '--cni-socket', this.path('cni.sock')];
    return [process.execPath, this.path('agent.cjs'), ...options, ...own, ...extra];
  }

  /** Ends a process and waits until it is gone; gives its exit status. */
  async kill(name: string, signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#processes.get(name);
    if (!child) return null;
    this.#processes.delete(name);
    if (child.exitCode === null && child.signalCode === null) {
      const gone = new Promise(resolve => child.once('exit', resolve));
      child.kill(signal);
      await gone;
    }
    return child.exitCode;
  }

  /** Runs one of OVN's tools and gives its output. */
  tool(program: string, ...args: readonly string[]): Promise<string> {
    const { file, args: all } = this.root.command(program, args);
    return runProgram([file, ...all]);
  }

  vsctl(...args: readonly string[]): Promise<string> {
    const wait = args.includes('--timeout=20') ? [] : ['--no-wait'];
    return this.tool('ovs-vsctl', `--db=${this.socket('ovs')}`, ...wait, ...args);
  }

  nbctl(...args: readonly string[]): Promise<string> {
    return this.tool('ovn-nbctl', `--db=${this.socket('nb')}`, ...args);
  }

  inNode(...command: readonly string[]): Promise<string> {
    return this.inNamespace(this.netns, ...command);
  }

  inNamespace(name: string, ...command: readonly string[]): Promise<string> {
    return runProgram(['ip', 'netns', 'exec', name, ...command]);
  }

  /** Calls the CNI plugin as a runtime does, in the root namespace. */
  plugin(
    env: Readonly<Record<string, string>>,
    version = '1.0.0',
    fields: Readonly<Record<string, unknown>> = {},
  ): Promise<PluginResult> {
    const config = { cniVersion: version, name: 'test', agentSocket: this.path('cni.sock'), ...fields };
    const child = spawn(this.path('cni'), [], { env: { PATH: process.env.PATH, ...env }, stdio: 'pipe' });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', text => {
      stdout += text;
    });
    child.stdin.end(JSON.stringify(config));
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', status =>
        resolve({ status: status ?? -1, output: stdout ? JSON.parse(stdout) : {} }),
      );
    });
  }

  #spawn(name: string, program: string, ...args: readonly string[]): void {
    const pidfile = program === 'ovn-controller' ? [`--pidfile=${this.path('ovn-controller.pid')}`] : [];
    const unixctl = program === 'ovn-controller' ? [] : [`--unixctl=${this.path(`${name}.ctl`)}`];
    const { file, args: all } = this.root.command(program, [...args, ...unixctl, ...pidfile]);
    this.#start(name, [file, ...all]);
  }

  #start(name: string, command: readonly string[]): void {
    const log = openSync(this.path(`${name}.log`), 'a');
    const folders = ['OVS_RUNDIR', 'OVN_RUNDIR', 'OVS_LOGDIR', 'OVN_LOGDIR', 'OVS_DBDIR', 'OVN_DBDIR'];
    const env = {
      ...Object.fromEntries(folders.map(variable => [variable, this.folder])),
      OVS_SYSCONFDIR: this.folder,
      OVN_SYSCONFDIR: this.folder,
      PATH: process.env.PATH,
    };
    const child = spawn('ip', ['netns', 'exec', this.netns, ...command], {
      env,
      stdio: ['ignore', log, log],
    });
    this.#processes.set(name, child);
  }
}

function accepts(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve();
    });
    socket.on('error', reject);
  });
}

/** Tries until it works; fails with the last reason when the time is over. */
export async function eventually<T>(what: string, attempt: () => Promise<T>, ms = 15_000): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > end) throw new Error(`${what}: not within ${ms} ms`, { cause: error });
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  }
}

async function bundlePrograms(folder: string): Promise<void> {
  const common = { bundle: true, platform: 'node', target: 'node20', format: 'cjs' } as const;
  // Modules ask where they are, to find files of the package.
  const define = { 'import.meta.url': JSON.stringify(pathToFileURL('src/cli/node.ts')) };
  const outfile = join(folder, 'agent.cjs');
  await build({ ...common, entryPoints: ['test/e2e/agent-entry.ts'], outfile, define });
  const banner = { js: '#!/usr/bin/env node' };
  await build({ ...common, entryPoints: ['src/node/cni/plugin.ts'], outfile: join(folder, 'cni'), banner });
  chmodSync(join(folder, 'cni'), 0o755);
}
