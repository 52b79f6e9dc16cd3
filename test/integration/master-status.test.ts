import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { MasterStatus } from '../../src/master/status-file.ts';
import { eventually, kubeNorthbound, MasterProcess } from '../support/master-process.ts';
import { MasterSetup } from '../support/master-setup.ts';

let setup: MasterSetup;

beforeEach(async () => {
  setup = await MasterSetup.create();
});

afterEach(() => setup.destroy());

const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } };
const policy = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'deny', namespace: 'shop' },
};

describe('the status', () => {
  it('of --once is in the file, too, with what is ignored and what has no effect', async () => {
    const { manifests, access, folder } = setup;
    manifests.write('more.json', [deployment, policy]);
    const file = join(folder, 'once.json');
    const args = ['master', '--once', '--manifests', manifests.path, ...access, '--status-file', file];
    const { code, stderr } = await kubeNorthbound(args);
    expect(code).toBe(0);
    expect(stderr).toContain('warning: NetworkPolicy shop/deny: policies are not enforced yet');
    expect(stderr).toContain('ignored: 1 of kind Deployment');
    const status: MasterStatus = JSON.parse(readFileSync(file, 'utf8'));
    expect(status).toMatchObject({ generation: 1, synced: true, pending: 0, refused: [] });
    expect(status.unenforced).toEqual(['NetworkPolicy shop/deny']);
    expect(status.ignored).toEqual({ Deployment: 1, NetworkPolicy: 1 });
  });

  it('has policies without effect among the refused where it is to be strict', async () => {
    const { manifests, access, folder } = setup;
    manifests.write('policy.json', [policy]);
    mkdirSync(join(folder, 'strict'));
    const args = ['--manifests', manifests.path, ...access, '--strict'];
    const master = new MasterProcess({ folder: join(folder, 'strict'), args });
    master.start();
    try {
      const { refused } = await master.synced();
      expect(refused).toEqual([
        { object: 'NetworkPolicy shop/deny', reason: 'policies are not enforced yet' },
      ]);
    } finally {
      await master.end();
    }
    expect((await kubeNorthbound(['master', '--once', ...args])).code).toBe(1);
  });

  it('says that nothing is synced while the database cannot be reached, and the log says why', async () => {
    const { manifests, access, folder } = setup;
    mkdirSync(join(folder, 'lonely'));
    const nowhere = ['--nb', `unix:${folder}/nowhere.sock`, ...access.slice(2)];
    const master = new MasterProcess({
      folder: join(folder, 'lonely'),
      args: ['--manifests', manifests.path, ...nowhere],
    });
    master.start();
    try {
      await eventually('a word about the database', () =>
        /nowhere\.sock/.test(master.log) ? true : undefined,
      );
      expect(master.status()).toMatchObject({ generation: 0, synced: false });
    } finally {
      await master.end();
    }
  });

  it('that cannot be written ends the master at once', async () => {
    const { manifests, access, folder } = setup;
    const file = join(folder, 'taken');
    mkdirSync(file);
    const args = ['master', '--manifests', manifests.path, ...access, '--status-file', file];
    const { code, stderr } = await kubeNorthbound(args);
    expect(code).toBe(1);
    expect(stderr).toContain(`the status file ${file} cannot be written`);
  });
});

describe('a master', () => {
  it('that starts while a file is broken deletes nothing', async () => {
    const { master, manifests, onlooker } = setup;
    master.start();
    await master.synced();
    await master.end();
    manifests.write('shop.json', '{"apiVersion": "v1", "kind": "List", "items": [');
    master.start();
    const status = await master.synced();
    expect(status.refused[0]?.reason).toMatch(/line 1, column \d+/);
    expect(onlooker.named('Logical_Switch_Port', 'shop_db')).toBeDefined();
    expect(onlooker.named('Logical_Switch', 'a')).toBeDefined();
  });
});
