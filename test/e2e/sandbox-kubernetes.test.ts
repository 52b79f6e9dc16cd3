import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readProcess } from '../../src/sandbox/processes/proc.ts';
import { describeWithControlPlane } from '../support/control-plane.ts';
import { eventually, kubeNorthbound, runToEnd } from '../support/master-process.ts';

const name = `k${process.pid % 100_000}`;
const run = (command: string, ...args: readonly string[]) =>
  kubeNorthbound(['sandbox', command, '--name', name, ...args]);
const kubectl = (...args: readonly string[]) => run('kubectl', ...args);

interface Status {
  readonly databases: { readonly nb: string; readonly sb: string };
  readonly processes: readonly { readonly name: string; readonly pid: number | null }[];
  readonly kubernetes: { readonly server: string; readonly kubeconfig: string; readonly bin: string };
}
const status = async (): Promise<Status> => JSON.parse((await run('status', '--output', 'json')).stdout);

describeWithControlPlane('the control plane of a sandbox', () => {
  beforeAll(async () => {
    const up = await run('up', '--nodes', '2', '--ovn-only', '--kubernetes', '--raft');
    if (up.code !== 0) throw new Error(up.stderr);
  });
  afterAll(() => run('down'));

  it('tells how to reach it from outside', async () => {
    const { kubernetes, processes } = await status();
    expect(processes.filter(({ pid }) => pid === null)).toEqual([]);
    const { stdout } = await runToEnd('env', [
      `KUBECONFIG=${kubernetes.kubeconfig}`,
      ...[`${kubernetes.bin}/kubectl`, 'get', 'service', 'kubernetes', '-o', 'jsonpath={.spec.clusterIP}'],
    ]);
    expect(stdout).toBe('10.96.0.1');
  });

  it('lets the master do what deploy/ grants, and no more', async () => {
    const { kubernetes } = await status();
    const kubeconfig = `/run/kube-northbound/${name}/kubernetes/master.kubeconfig`;
    const can = async (...what: readonly string[]) => {
      const command = [`${kubernetes.bin}/kubectl`, '--kubeconfig', kubeconfig, 'auth', 'can-i', ...what];
      return (await run('exec', 'central', '--', ...command)).stdout.trim();
    };
    expect(await can('watch', 'pods')).toBe('yes');
    expect(await can('delete', 'pods')).toBe('no');
  });

  it('has databases in clusters of three', async () => {
    const { databases } = await status();
    expect(databases.nb.split(',')).toHaveLength(3);
    expect(databases.sb.split(',')).toHaveLength(3);
    expect((await run('kill', 'nb')).code).toBe(0);
    // Until the others have elected a leader ovn-nbctl gives up.
    const add = async () =>
      (await run('nbctl', '--may-exist', 'ls-add', 'after-the-crash')).code === 0 || undefined;
    await eventually('the others go on', add, 60_000);
    expect((await run('start', 'nb')).code).toBe(0);
    expect((await run('nbctl', 'show')).stdout).toContain('after-the-crash');
  });

  it.each(['etcd', 'kube-apiserver', 'relay'])('keeps its objects where %s crashes', async process => {
    expect((await kubectl('create', 'namespace', process)).code).toBe(0);
    expect((await run('kill', process)).code).toBe(0);
    expect((await run('start', process)).code).toBe(0);
    await eventually(
      'the namespace is there again',
      async () => (await kubectl('get', 'namespace', process)).code === 0 || undefined,
      60_000,
    );
  });
});

describeWithControlPlane('the end of a sandbox with Kubernetes', () => {
  it('leaves no process, port or file', async () => {
    const up = await run('up', '--nodes', '1', '--ovn-only', '--kubernetes');
    expect(up).toMatchObject({ code: 0 });
    const { processes, kubernetes } = await status();
    const pids = processes.flatMap(({ pid }) => pid ?? []);
    expect(pids.length).toBeGreaterThan(10);
    expect((await run('down')).code).toBe(0);
    expect(pids.flatMap(pid => readProcess(pid) ?? [])).toEqual([]);
    expect(existsSync(kubernetes.kubeconfig)).toBe(false);
    await expect(fetch(kubernetes.server)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  });
});

describe('a sandbox without Kubernetes', () => {
  it('says so where kubectl is asked for', async () => {
    await run('up', '--nodes', '1', '--ovn-only');
    try {
      expect(await kubectl('get', 'pods')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(`the sandbox ${name} has no Kubernetes: "sandbox up --kubernetes"`),
      });
    } finally {
      await run('down');
    }
  });
});
