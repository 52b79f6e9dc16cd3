import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, runToEnd } from '../support/master-process.ts';
import { Sandbox } from '../support/sandbox.ts';

const sandbox = new Sandbox('s');
const RUN = `/run/kube-northbound/${sandbox.name}`;
const WEB = 'shop-frontend/web-1';

let machine: readonly string[] = [];

beforeAll(async () => {
  machine = await rootNetwork();
  const { code, stderr } = await sandbox.up();
  if (code !== 0) throw new Error(stderr);
}, 180_000);

afterAll(() => sandbox.down(), 60_000);

/** The machine's own interfaces, addresses, routes and rules. */
async function rootNetwork(): Promise<readonly string[]> {
  const commands = [
    ['-br', 'address'],
    ['route', 'show', 'table', 'all'],
    ['-6', 'route', 'show', 'table', 'all'],
    ['rule'],
  ];
  const shown = await Promise.all(commands.map(command => runToEnd('ip', command)));
  const forwarding = ['ipv4/ip_forward', 'ipv6/conf/all/forwarding', 'ipv6/conf/all/disable_ipv6'];
  return [
    ...shown.map(({ stdout }) => stdout),
    ...forwarding
      .map(name => join('/proc/sys/net', name))
      .map(file => (existsSync(file) ? readFileSync(file, 'utf8') : '')),
  ];
}

const namespaces = async () => (await runToEnd('ip', ['netns', 'list'])).stdout;

/** A process's command line, words separated by blanks; empty where there is none. */
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** Processes that were given a file of the sandbox. */
function processesOfRun(): readonly string[] {
  return readdirSync('/proc')
    .filter(entry => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .map(commandOf)
    .filter(command => command.includes(`${RUN}/`));
}

const exec = (target: string, ...command: readonly string[]) => sandbox.run('exec', target, '--', ...command);

/** Changes something and waits until everybody reaches everybody again. */
async function ready(pod: string): Promise<void> {
  await eventually(`${pod} is ready`, async () => {
    const { pods } = JSON.parse(readFileSync(join(RUN, 'runner-status.json'), 'utf8')) as {
      pods: { namespace: string; name: string; state: string }[];
    };
    return (
      pods.some(({ namespace, name, state }) => `${namespace}/${name}` === pod && state === 'ready') ||
      undefined
    );
  });
}

describe('a sandbox of the first-light example', () => {
  it('says what it consists of', async () => {
    const status = await sandbox.status();
    expect(status.nodes.map(({ name, ips }) => [name, ips])).toEqual([
      ['worker-1', ['192.168.20.11', 'fd20::11']],
      ['worker-2', ['192.168.20.12', 'fd20::12']],
      ['worker-3', ['192.168.20.13', 'fd20::13']],
    ]);
    expect(status.outside.ips).toEqual(['192.168.20.254', 'fd20::254']);
    const names = status.nodes.flatMap(({ name }) =>
      ['ovsdb', 'vswitchd', 'controller', 'agent'].map(part => `${name}/${part}`),
    );
    expect(status.processes.map(({ name }) => name).sort()).toEqual(
      ['nb', 'sb', 'northd', 'master', 'runner', ...names].sort(),
    );
    for (const { pid } of status.processes) expect(existsSync(`/proc/${pid}`)).toBe(true);
    expect(status.pods).toHaveLength(12);
    expect(status.pods.find(({ name }) => name === 'web-1')).toMatchObject({
      namespace: 'shop-frontend',
      node: 'worker-1',
      interface: 'eth0',
      logicalPort: 'shop-frontend_web-1',
      mac: expect.stringMatching(/^0a:58:/),
      ips: [expect.stringMatching(/^10\.128\./), expect.stringMatching(/^fd01:/)],
    });
  });

  it('carries packets between all pods, and from nodes to their pods', async () => {
    const { ok, results } = JSON.parse(await sandbox.output('matrix', '--output', 'json')) as {
      ok: boolean;
      results: { from: string; to: string; kind: string; result: string }[];
    };
    expect(results.filter(({ result }) => result === 'bad')).toEqual([]);
    expect(ok).toBe(true);
    const pairs = new Set(
      results.filter(({ from }) => from.includes('/')).map(({ from, to }) => `${from} ${to}`),
    );
    expect(pairs.size).toBe(12 * 11);
    expect(new Set(results.map(({ kind }) => kind))).toEqual(new Set(['ping', 'tcp', 'udp']));
  });

  it('never runs into the depth limit of the userspace datapath', async () => {
    for (const { name } of (await sandbox.status()).nodes) {
      expect(await sandbox.output('appctl', name, 'coverage/show')).not.toContain(
        'datapath_drop_recirc_error',
      );
    }
  });

  it('runs programs in pods, nodes, outside and the central host, with their exit codes', async () => {
    expect(await exec(WEB, 'sh', '-c', 'echo in; echo err >&2; exit 7')).toMatchObject({
      code: 7,
      stdout: 'in\n',
      stderr: 'err\n',
    });
    expect((await exec('worker-2', 'ping', '-c1', '-W5', '170.168.0.5')).code).toBe(0);
    expect((await exec('outside', 'ping', '-c1', '-W5', '192.168.20.13')).code).toBe(0);
    expect((await exec('outside', 'ping', '-c1', '-W5', 'fd20::12')).code).toBe(0);
    expect((await exec('central', 'ip', 'address', 'show', 'eth0')).stdout).toContain('170.168.0.2/16');
    const stranger = await exec('shop-frontend/none', 'true');
    expect(stranger).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no pod shop-frontend/none is attached'),
    });
  });

  it("passes on to OVN's tools", async () => {
    expect(await sandbox.output('nbctl', '--bare', '--columns=name', 'list', 'Logical_Switch')).toContain(
      'worker-3',
    );
    expect(await sandbox.output('sbctl', 'show')).toContain('Chassis worker-2');
    expect(
      await sandbox.output('vsctl', 'worker-1', 'get', 'Open_vSwitch', '.', 'external_ids:system-id'),
    ).toBe('worker-1\n');
    expect((await sandbox.run('nbctl', 'lsp-get-up', 'no-such-port')).code).toBe(1);
  });

  it('follows the manifests: a port changes, a pod moves, pods go and come back', async () => {
    const frontend = join(sandbox.manifests, 'frontend.yaml');
    const before = await sandbox.attached(WEB);
    const documents = readFileSync(frontend, 'utf8').split('---\n');
    const changed = documents.map(document =>
      document.includes('\n  name: web-1\n')
        ? document.replace('worker-1', 'worker-3').replace('8080', '8181')
        : document,
    );
    expect(changed).not.toEqual(documents);
    writeFileSync(frontend, changed.join('---\n'));
    const moved = await sandbox.attached(WEB, before.netns);
    expect(moved.node).toBe('worker-3');
    await ready(WEB);
    const data = join(sandbox.manifests, 'data.yaml');
    const kept = readFileSync(data, 'utf8');
    rmSync(data);
    await eventually(
      'the pods are gone',
      async () =>
        (await sandbox.status()).pods.every(({ namespace }) => namespace !== 'shop-data') || undefined,
      30_000,
    );
    expect(await namespaces()).not.toContain(before.netns);
    writeFileSync(data, kept);
    await sandbox.attached('shop-data/sessions-0');
    await ready('shop-data/sessions-0');
    await ready('shop-data/orders-db-0');
    await sandbox.allReachable();
  });

  it('keeps its pods while the runner is away, and makes up for it afterwards', async () => {
    const before = (await sandbox.status()).pods;
    await sandbox.output('kill', 'runner');
    expect(await sandbox.run('kill', 'runner')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('runner does not run'),
    });
    rmSync(join(sandbox.manifests, 'monitoring.yaml'));
    await sandbox.output('start', 'runner');
    await eventually(
      'the pods are gone',
      async () =>
        (await sandbox.status()).pods.every(({ namespace }) => namespace !== 'shop-monitoring') || undefined,
      30_000,
    );
    const left = before.filter(({ namespace }) => namespace !== 'shop-monitoring');
    expect((await sandbox.status()).pods).toEqual(left);
    expect(readFileSync(join(RUN, 'runner.log'), 'utf8')).toContain('pods of an earlier runner');
  });

  it('carries packets again after a crash of Open vSwitch', async () => {
    await sandbox.output('kill', 'worker-2/vswitchd');
    await sandbox.output('start', 'worker-2/vswitchd');
    await sandbox.allReachable();
  });

  it('goes without a trace, and the machine has noticed nothing', async () => {
    expect(await rootNetwork()).toEqual(machine);
    expect(processesOfRun().length).toBeGreaterThan(20);
    const { netns } = await sandbox.attached(WEB);
    const program = exec(WEB, 'sleep', '1000');
    await eventually('the program runs', async () => {
      const pids = (await runToEnd('ip', ['netns', 'pids', netns])).stdout.trim().split('\n');
      return pids.some(pid => commandOf(pid).startsWith('sleep ')) ? true : undefined;
    });
    expect((await sandbox.run('down')).code).toBe(0);
    expect((await program).code).not.toBe(0);
    expect(processesOfRun()).toEqual([]);
    expect(await namespaces()).not.toContain(`knb-${sandbox.name}-`);
    expect(existsSync(RUN)).toBe(false);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(sandbox.name);
    expect(await rootNetwork()).toEqual(machine);
    expect(await sandbox.run('down')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no sandbox'),
    });
  });
});
