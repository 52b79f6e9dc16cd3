import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { packageFile } from '../../src/sandbox/package-files.ts';
import { eventually, kubeNorthbound, runToEnd } from '../support/master-process.ts';

const prefix = `l${process.pid % 100_000}`;
const made: string[] = [];
const sandbox = (name: string, command: string, ...args: readonly string[]) => {
  made.push(name);
  return kubeNorthbound(['sandbox', command, '--name', name, ...args]);
};
const ovnOnly = (name: string) => sandbox(name, 'up', '--nodes', '2', '--ovn-only');
const namespaces = async () => (await runToEnd('ip', ['netns', 'list'])).stdout;

afterAll(async () => {
  for (const name of new Set(made)) {
    if (existsSync(`/run/kube-northbound/${name}`)) await kubeNorthbound(['sandbox', 'down', '--name', name]);
  }
}, 60_000);

function manifests(...objects: readonly unknown[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'knb-life-'));
  writeFileSync(join(folder, 'all.json'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  return folder;
}

const node = (name: string) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
const pod = (name: string, ip?: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop' },
  spec: { nodeName: 'n-1', containers: [{ name: 'c', ports: [{ containerPort: 80 }] }] },
  ...(ip === undefined ? {} : { status: { podIPs: [{ ip }] } }),
});

describe('the life of a sandbox', () => {
  it('does not touch that of another, which has the same addresses', async () => {
    const [one, other] = [`${prefix}a`, `${prefix}b`];
    const ups = await Promise.all([ovnOnly(one), ovnOnly(other)]);
    expect(ups.map(({ code }) => code)).toEqual([0, 0]);
    expect(await ovnOnly(one)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/is up already.*sandbox down --name/),
    });
    expect((await sandbox(one, 'down')).code).toBe(0);
    const ping = ['exec', 'ovn-chassis-1', '--', 'ping', '-c1', '-W5', '170.168.0.4'] as const;
    const [command, ...args] = ping;
    expect((await sandbox(other, command, ...args)).code).toBe(0);
    expect((await sandbox(other, 'sbctl', 'show')).stdout).toContain('Chassis ovn-chassis-2');
    expect((await sandbox(other, 'down')).code).toBe(0);
    expect(await namespaces()).not.toContain(`knb-${prefix}`);
  });

  it('ends whole where "up" was killed in the middle', async () => {
    const name = `${prefix}c`;
    made.push(name);
    const args = ['sandbox', 'up', '--nodes', '3', '--ovn-only', '--name', name];
    const up: ChildProcess = spawn(process.execPath, [packageFile('bin/kube-northbound'), ...args], {
      stdio: 'ignore',
    });
    await eventually(
      'a database runs',
      () => existsSync(`/run/kube-northbound/${name}/central/nb.pid`) || undefined,
    );
    up.kill('SIGKILL');
    expect(await ovnOnly(name)).toMatchObject({ code: 1, stderr: expect.stringContaining('is half made') });
    expect((await sandbox(name, 'down')).code).toBe(0);
    expect(await namespaces()).not.toContain(`knb-${name}-`);
    expect(existsSync(`/run/kube-northbound/${name}`)).toBe(false);
  });

  it('does not begin where the wish makes no sense', async () => {
    const name = `${prefix}d`;
    const folder = manifests(node('n-1'), node('n-2'));
    expect(await sandbox(name, 'up')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--manifests or --nodes'),
    });
    expect(await sandbox(name, 'up', '--manifests', folder, '--nodes', '3')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--nodes 3, but the manifests have 2 Node objects'),
    });
    expect(await sandbox(name, 'up', '--nodes', '1', '--config', '/no/such')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('/no/such: cannot be read'),
    });
    expect(await sandbox('No_Name', 'up', '--nodes', '1')).toMatchObject({ code: 2 });
    const bare = join(folder, 'bare');
    mkdirSync(bare);
    expect(await sandbox(name, 'up', '--nodes', '1', '--ovn-root', bare)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/bare lacks ld-linux/),
    });
    expect(existsSync(`/run/kube-northbound/${name}`)).toBe(false);
    rmSync(folder, { recursive: true });
  });

  it('tells which pods are missing, and why', async () => {
    const name = `${prefix}e`;
    const folder = manifests(node('n-1'), pod('good', '10.128.0.10'), pod('twin', '10.128.0.10'));
    const up = await sandbox(name, 'up', '--manifests', folder);
    expect(up.code).toBe(1);
    expect(up.stderr).toMatch(/Pod shop\/\w+ on n-1 is not ready: .*10\.128\.0\.10/);
    const { pods } = JSON.parse((await sandbox(name, 'status', '--output', 'json')).stdout);
    expect(pods).toHaveLength(1);
    expect((await sandbox(name, 'down')).code).toBe(0);
    rmSync(folder, { recursive: true });
  });

  it('needs no manifests: the nodes are there, and pods may come in a folder of their own', async () => {
    const name = `${prefix}f`;
    const folder = manifests({ ...pod('lone'), spec: { ...pod('lone').spec, nodeName: 'ovn-chassis-2' } });
    expect((await sandbox(name, 'up', '--nodes', '2', '--manifests', folder)).code).toBe(0);
    const { pods } = JSON.parse((await sandbox(name, 'status', '--output', 'json')).stdout);
    expect(pods).toMatchObject([{ namespace: 'shop', name: 'lone', node: 'ovn-chassis-2' }]);
    expect((await sandbox(name, 'matrix')).code).toBe(0);
    expect((await sandbox(name, 'down')).code).toBe(0);
    rmSync(folder, { recursive: true });
  });
});
