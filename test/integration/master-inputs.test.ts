import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LEASE_TIMING } from '../../src/cluster/lease/index.ts';
import { loadConfig } from '../../src/config/index.ts';
import { type MasterInput, type OpenKeeping, openKeeping, sourceOf } from '../../src/master/keeping.ts';
import { insert, type Operation, Session } from '../../src/ovsdb-client/index.ts';
import { FakeLeaseServer } from '../support/fake-lease-api.ts';
import { eventually } from '../support/master-process.ts';
import { MasterSetup, pod } from '../support/master-setup.ts';

const STAMP = 'kube-northbound/term/default';
const LOCK = 'kube_northbound_default';
const nothing = () => {};
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

const stamped: Operation = insert('NB_Global', { external_ids: ['map', [[STAMP, '3/master-1']]] });
const unstamp: Operation = {
  op: 'mutate',
  table: 'NB_Global',
  where: [],
  mutations: [['external_ids', 'delete', ['set', [STAMP]]]],
};

let setup: MasterSetup;
const open: OpenKeeping[] = [];

beforeEach(async () => {
  setup = await MasterSetup.create();
});

afterEach(async () => {
  for (const one of open.splice(0)) await close(one);
  await setup.destroy();
});

async function keep(input: MasterInput): Promise<OpenKeeping> {
  const northbound = { remotes: [setup.northbound.endpoint], tls: undefined };
  const options = { config: loadConfig(undefined), strict: false, input, northbound, log };
  const opened = await openKeeping(options, { timeout: 10_000 });
  open.push(opened);
  return opened;
}

async function close({ keeping, session }: OpenKeeping): Promise<void> {
  await keeping.close();
  await session.close();
}

const manifests = (): MasterInput => ({ manifests: [setup.manifests.path] });
const cluster = (identity: string): MasterInput => ({
  cluster: {
    api: new FakeLeaseServer().client(),
    identity,
    namespace: 'kube-northbound',
    timing: LEASE_TIMING,
    firstPruneLimit: 0.5,
  },
});

describe('a master with manifests', () => {
  it('does not start where masters with an API server keep its installation, and does once their term is away', async () => {
    await setup.onlooker.transact(stamped);
    await expect(keep(manifests())).rejects.toThrow(
      `NB_Global says ${STAMP}=3/master-1: masters with an API server keep the installation "default"`,
    );
    await setup.onlooker.transact(unstamp);
    await keep(manifests());
  });

  it('stops writing when a master with an API server begins to lead', async () => {
    const { keeping } = await keep(manifests());
    const stop = sourceOf({ input: manifests(), log }).watch(change => keeping.take(change));
    await eventually('all rows', () => keeping.status().synced || undefined);
    await setup.onlooker.transact(stamped);
    await eventually('the loss', () => !keeping.status().synced || undefined);
    setup.manifests.write('more.json', [pod('more', 'a', '10.200.1.77')]);
    await eventually('the new pod', () => keeping.status().generation > 1 || undefined);
    expect(setup.onlooker.named('Logical_Switch_Port', 'shop_more')).toBeUndefined();
    await setup.onlooker.transact(unstamp);
    await eventually('the new port', () => setup.onlooker.named('Logical_Switch_Port', 'shop_more'));
    stop();
  });
});

describe('masters with an API server', () => {
  it('do not start where one with manifests keeps their installation', async () => {
    await keep(manifests());
    await expect(keep(cluster('one'))).rejects.toThrow(
      `another master of the installation "default" holds the lock ${LOCK}`,
    );
  });

  it('start at the same time, and leave the lock to others', async () => {
    await Promise.all(['one', 'two', 'three'].map(identity => keep(cluster(identity))));
    const session = new Session({
      remotes: [setup.northbound.endpoint],
      database: 'OVN_Northbound',
      tables: {},
    });
    session.start();
    await session.lock(LOCK).acquired(5_000);
    await session.close();
  });
});
