import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { itIf } from '../support/skip.ts';

const ROOT = join(__dirname, '../..');
const IMAGE = join(ROOT, 'deploy/image');
const REQUEST = JSON.stringify({ cniVersion: '1.1.0', name: 'kube-northbound', type: 'kube-northbound-cni' });
const isRoot = process.getuid?.() === 0;

const run = (file: string, ...args: readonly string[]) =>
  execFileSync(file, args, {
    input: REQUEST,
    env: { PATH: process.env.PATH, CNI_COMMAND: 'VERSION' },
  }).toString();

describe('what the image brings to a node', () => {
  const folder = mkdtempSync(join(tmpdir(), 'image-'));
  /** As in the image, and as on the node. */
  const image = join(folder, 'image');
  const node = join(folder, 'node');

  beforeAll(() => {
    mkdirSync(node);
    cpSync(IMAGE, join(image, 'image'), { recursive: true });
    cpSync(join(ROOT, 'dist/kube-northbound-cni'), join(image, 'dist/kube-northbound-cni'));
    run(join(IMAGE, 'collect-runtime'), join(image, 'runtime'));
    run(join(image, 'image/install-runtime'), node);
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is put there once, and again where it differs', () => {
    const times = () => readdirSync(node).map(name => `${name} ${statSync(join(node, name)).ino}`);
    const before = times();
    expect(before.length).toBeGreaterThan(3);
    run(join(image, 'image/install-runtime'), node);
    expect(times()).toEqual(before);
    writeFileSync(join(node, 'kube-northbound-cni'), 'of an earlier release');
    run(join(image, 'image/install-runtime'), node);
    const [plugin] = readdirSync(node).filter(name => name.includes('cni'));
    expect(plugin).toBe('kube-northbound-cni');
    expect(statSync(join(node, 'kube-northbound-cni')).size).toBe(
      statSync(join(image, 'dist/kube-northbound-cni')).size,
    );
  });

  itIf(isRoot, 'needs root')('runs the plugin with nothing else in its file system', () => {
    const plugin = ['/loader', '--library-path', '/', '/node', '/kube-northbound-cni'];
    expect(JSON.parse(run('chroot', node, ...plugin))).toMatchObject({ cniVersion: '1.1.0' });
  });

  itIf(isRoot, 'needs root')('is found by the plugin of the container runtime', () => {
    const mounts =
      'mount -t tmpfs none /opt && mkdir /opt/kube-northbound && mount --bind "$1" /opt/kube-northbound';
    const wrapper = join(IMAGE, 'kube-northbound-cni');
    const answer = run('unshare', '--mount', 'sh', '-ec', `${mounts} && exec "$2"`, 'sh', node, wrapper);
    expect(JSON.parse(answer)).toMatchObject({ cniVersion: '1.1.0' });
  });
});
