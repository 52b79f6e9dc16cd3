import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { DEFAULT_AGENT_SOCKET } from '../../src/contracts/cni.ts';
import { readConfig } from '../../src/node/cni/request.ts';
import { installConfiguration, installPlugin, networkConfiguration } from '../../src/node/install.ts';

const folder = mkdtempSync(join(tmpdir(), 'knb-install-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CONFIGURATION = '10-kube-northbound.conflist';

describe('the installation of the plugin', () => {
  it('puts it in place once, and again only where it is another', async () => {
    const source = join(folder, 'source');
    const bin = join(folder, 'opt', 'cni', 'bin');
    const path = join(bin, 'kube-northbound-cni');
    writeFileSync(source, 'one', { mode: 0o600 });
    expect(await installPlugin(source, bin)).toBe(true);
    expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual(['one', 0o755]);
    const { ino } = statSync(path);
    expect(await installPlugin(source, bin)).toBe(false);
    expect(statSync(path).ino).toBe(ino);
    writeFileSync(source, 'two');
    expect(await installPlugin(source, bin)).toBe(true);
    // A new file in the place of the old one: who has the old one open keeps it whole.
    expect([readFileSync(path, 'utf8'), statSync(path).ino === ino]).toEqual(['two', false]);
    expect(readdirSync(bin)).toEqual(['kube-northbound-cni']);
  });

  it('replaces one that cannot be executed', async () => {
    const source = join(folder, 'source');
    const bin = join(folder, 'bin');
    await installPlugin(source, bin);
    rmSync(join(bin, 'kube-northbound-cni'));
    writeFileSync(join(bin, 'kube-northbound-cni'), readFileSync(source), { mode: 0o644 });
    expect(await installPlugin(source, bin)).toBe(true);
    expect(statSync(join(bin, 'kube-northbound-cni')).mode & 0o777).toBe(0o755);
  });

  it('says which file is missing', async () => {
    await expect(installPlugin(join(folder, 'no-such'), folder)).rejects.toThrow('no-such');
  });
});

describe('the installation of the network configuration', () => {
  it('leaves those of others alone, and no part of its own', async () => {
    const conf = join(folder, 'net.d');
    await installConfiguration(conf, '/run/other.sock');
    writeFileSync(join(conf, '99-other.conflist'), '{}');
    // What an agent that was killed has left.
    writeFileSync(join(conf, `.${CONFIGURATION}.new`), '{"half');
    expect(await installConfiguration(conf, '/run/cni.sock')).toBe(true);
    expect(readdirSync(conf).sort()).toEqual([CONFIGURATION, '99-other.conflist']);
    expect(readFileSync(join(conf, CONFIGURATION), 'utf8')).toBe(networkConfiguration('/run/cni.sock'));
    expect(await installConfiguration(conf, '/run/cni.sock')).toBe(false);
    expect(existsSync(join(conf, `.${CONFIGURATION}.new`))).toBe(false);
  });

  it('is what the plugin understands, in each of its versions', () => {
    const list = JSON.parse(networkConfiguration('/run/cni.sock'));
    const [plugin] = list.plugins;
    expect(list.cniVersions).toContain(list.cniVersion);
    for (const cniVersion of list.cniVersions) {
      const config = readConfig(JSON.stringify({ ...plugin, name: list.name, cniVersion }));
      expect(config).toEqual({ cniVersion, name: 'kube-northbound', agentSocket: '/run/cni.sock' });
    }
  });

  it('is the file that is there for other ways to install it', () => {
    const file = join(__dirname, '../../deploy/cni', CONFIGURATION);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(
      JSON.parse(networkConfiguration(DEFAULT_AGENT_SOCKET)),
    );
  });
});
