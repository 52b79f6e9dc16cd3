import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { insert } from '../../src/ovsdb-client/index.ts';
import { eventually, kubeNorthbound } from '../support/master-process.ts';
import { MasterSetup, node, pod, shop } from '../support/master-setup.ts';
import { rowsOf } from '../support/northbound-dump.ts';

let setup: MasterSetup;
let manifests: MasterSetup['manifests'];
let onlooker: MasterSetup['onlooker'];
let master: MasterSetup['master'];

/** What a fresh translation of the folder gives. */
async function freshRows() {
  return rowsOf((await kubeNorthbound(['translate', '-f', manifests.path, '--format', 'json'])).stdout);
}

beforeEach(async () => {
  setup = await MasterSetup.create();
  ({ manifests, onlooker, master } = setup);
});

afterEach(() => setup.destroy());

describe('a long-lived master', () => {
  it('makes the northbound what translation says, and counts it in the status', async () => {
    master.start();
    const status = await master.synced();
    expect(onlooker.rows()).toEqual(await freshRows());
    expect(status).toMatchObject({ generation: 1, pending: 0, refused: [] });
    expect(status.rows.Logical_Switch_Port).toBe(7);
  });

  it('writes no transaction when it starts again on what is right', async () => {
    master.start();
    await master.synced();
    await master.end();
    const before = readFileSync(`${setup.folder}/nb.db`, 'utf8');
    master.start();
    await master.synced();
    await master.after(() => manifests.write('extra.yaml', '# nothing'));
    expect(readFileSync(`${setup.folder}/nb.db`, 'utf8')).toBe(before);
  });

  it('leaves the status file alone while nothing changes, and counts an input that changes no row', async () => {
    master.start();
    const { generation } = await master.synced();
    const status = await master.after(() => manifests.write('shop.json', [...shop, deployment]));
    expect(status.generation).toBe(generation + 1);
    expect(onlooker.rows()).toEqual(await freshRows());
  });

  it('puts back within a second what is deleted or altered by hand', async () => {
    master.start();
    await master.synced();
    const wanted = onlooker.rows();
    const port = onlooker.named('Logical_Switch_Port', 'shop_web')?.uuid ?? '';
    const join = onlooker.named('Logical_Switch', 'join')?.uuid ?? '';
    const other = onlooker.named('Logical_Switch_Port', 'shop_db')?.uuid ?? '';
    const byUuid = (uuid: string) => [['_uuid', '==', ['uuid', uuid]]];
    await onlooker.transact(
      { op: 'mutate', table: 'Logical_Switch', where: [], mutations: [['ports', 'delete', ['uuid', port]]] },
      { op: 'delete', table: 'Logical_Switch', where: byUuid(join) },
      { op: 'update', table: 'Logical_Switch_Port', where: byUuid(other), row: { addresses: 'unknown' } },
    );
    await eventually('the rows are back', () => (same(onlooker.rows(), wanted) ? true : undefined), 1_000);
    expect(onlooker.named('Logical_Switch_Port', 'shop_web')?.uuid).not.toBe(port);
    expect(onlooker.named('Logical_Switch_Port', 'shop_db')?.uuid).toBe(other);
  });

  it('ends equal to the manifests after kill -9 in the middle of 200 pod changes', async () => {
    master.start();
    await master.synced();
    for (let number = 0; number < 200; number += 1) {
      manifests.write(`pod-${number}.json`, [pod(`p${number}`, 'a', `10.200.1.${number + 20}`)]);
    }
    await eventually('some of the ports', () => (onlooker.keyCounts().size > 20 ? true : undefined));
    await master.end('SIGKILL');
    for (let number = 0; number < 200; number += 2) manifests.remove(`pod-${number}.json`);
    master.start();
    await master.synced();
    expect(onlooker.rows()).toEqual(await freshRows());
    expect([...onlooker.keyCounts().values()].every(count => count === 1)).toBe(true);
  });

  it('ends equal to the manifests however often it is killed while it writes 3,000 pods', async () => {
    const big = { ...node('big', 0), spec: { podCIDRs: ['10.201.0.0/20'] } };
    const crowd = Array.from({ length: 3_000 }, (_, n) =>
      pod(`crowd-${n}`, 'big', `10.201.${Math.floor(n / 250)}.${(n % 250) + 3}`),
    );
    manifests.write('crowd.json', [big, ...crowd]);
    for (let kill = 0; kill < 5; kill += 1) {
      const before = onlooker.keyCounts().size;
      master.start();
      await eventually('more rows', () => onlooker.keyCounts().size > before || undefined, 20_000);
      await master.end('SIGKILL');
      if (onlooker.keyCounts().size > 3_000) break;
    }
    master.start();
    await master.synced(undefined, 30_000);
    expect(onlooker.rows()).toEqual(await freshRows());
    expect([...onlooker.keyCounts().values()].every(count => count === 1)).toBe(true);
  });

  it('follows a node that leaves and returns, a pod that moves, and a namespace that vanishes', async () => {
    const crowd = Array.from({ length: 100 }, (_, n) => pod(`crowd-${n}`, 'b', `10.200.2.${n + 20}`));
    manifests.write('crowd.json', crowd);
    master.start();
    await master.synced();
    const steps: readonly (() => void)[] = [
      () =>
        manifests.write(
          'shop.json',
          shop.filter(({ metadata }) => metadata.name !== 'b'),
        ),
      () => manifests.write('shop.json', shop),
      () => manifests.write('shop.json', [...shop.slice(0, 3), pod('db', 'a', '10.200.1.11', 'another')]),
      () => manifests.remove('crowd.json'),
    ];
    for (const step of steps) {
      await master.after(step);
      expect(onlooker.rows()).toEqual(await freshRows());
    }
  });

  it('keeps a row of ours with a child of somebody else, empty, until that child goes', async () => {
    master.start();
    await master.synced();
    const mine = onlooker.named('Logical_Switch', 'b')?.uuid ?? '';
    const where = [['_uuid', '==', ['uuid', mine]]];
    await onlooker.transact(
      { ...insert('Logical_Switch_Port', { name: 'foreign' }), 'uuid-name': 'port' },
      {
        op: 'mutate',
        table: 'Logical_Switch',
        where,
        mutations: [['ports', 'insert', ['named-uuid', 'port']]],
      },
    );
    const status = await master.after(() => manifests.remove('shop.json'));
    expect(status.refused).toEqual([
      { object: 'Logical_Switch b', reason: expect.stringContaining('"foreign", which is not ours') },
    ]);
    const foreign = onlooker.named('Logical_Switch_Port', 'foreign')?.uuid ?? '';
    expect(onlooker.named('Logical_Switch', 'b')?.columns.ports).toEqual(new Set([foreign]));
    const mutations = [['ports', 'delete', ['uuid', foreign]]];
    await onlooker.transact({ op: 'mutate', table: 'Logical_Switch', where, mutations });
    await master.synced(({ refused }) => refused.length === 0);
    expect(onlooker.rows()).toEqual({});
  });

  it('reports and waits while the database is away, and goes on when it is back', async () => {
    master.start();
    await master.synced();
    setup.northbound.kill();
    await eventually('an unsynced status', () => (master.status()?.synced === false ? true : undefined));
    manifests.write('more.json', [pod('late', 'a', '10.200.1.99')]);
    setup.northbound.start();
    await eventually('the late pod', () => onlooker.named('Logical_Switch_Port', 'shop_late'), 20_000);
    await master.synced();
    expect(onlooker.rows()).toEqual(await freshRows());
  });

  it('ends with 0 when it is told to', async () => {
    master.start();
    await master.synced();
    expect(await master.end('SIGTERM')).toBe(0);
  });
});

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop' },
};

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
