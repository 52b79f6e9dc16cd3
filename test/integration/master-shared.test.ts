import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { insert, type Operation } from '../../src/ovsdb-client/index.ts';
import { eventually, kubeNorthbound, MasterProcess } from '../support/master-process.ts';
import { MasterSetup, pod, shop } from '../support/master-setup.ts';

let setup: MasterSetup;

beforeEach(async () => {
  setup = await MasterSetup.create();
});

afterEach(() => setup.destroy());

const named = (name: string, operation: Operation): Operation => ({ ...operation, 'uuid-name': name });
const reference = (name: string) => ['named-uuid', name];
const map = (...entries: readonly (readonly [string, string])[]) => ['map', entries];

/** What a Neutron and an operator have in the same database. */
const foreignRows: readonly Operation[] = [
  named('port', insert('Logical_Switch_Port', { name: '6c1f', addresses: 'fa:16:3e:00:00:01 192.168.1.5' })),
  insert('Logical_Switch', {
    name: 'neutron-3a',
    ports: reference('port'),
    other_config: map(['vlan-passthru', 'false']),
  }),
  named(
    'lrp',
    insert('Logical_Router_Port', { name: 'lrp-77', mac: 'fa:16:3e:00:00:02', networks: '192.168.1.1/24' }),
  ),
  insert('Logical_Router', {
    name: 'neutron-9b',
    ports: reference('lrp'),
    options: map(['mac_binding_age_threshold', '0']),
  }),
  named(
    'acl',
    insert('ACL', {
      direction: 'to-lport',
      priority: 1001,
      match: 'outport == @neutron_pg_drop && ip',
      action: 'drop',
    }),
  ),
  insert('Port_Group', { name: 'neutron_pg_drop', acls: reference('acl') }),
  insert('Address_Set', { name: 'theirs', addresses: '192.168.1.5' }),
  insert('NB_Global', { name: 'cloud', options: map(['ignore_lsp_down', 'true']), nb_cfg: 11 }),
];

/** A port of somebody else on a switch of ours. */
function portOnOurSwitch(uuid: string): readonly Operation[] {
  const where = [['_uuid', '==', ['uuid', uuid]]];
  const port = insert('Logical_Switch_Port', { name: 'guest', options: map(['nested', 'yes']) });
  const mutations = [
    ['ports', 'insert', reference('guest')],
    ['other_config', 'insert', map(['mcast_snoop', 'true'])],
  ];
  return [named('guest', port), { op: 'mutate', table: 'Logical_Switch', where, mutations }];
}

/** Every row that is not ours, with its UUID and all columns, as the server prints them. */
async function foreignDump(): Promise<string> {
  const tables = ['Logical_Switch', 'Logical_Switch_Port', 'Logical_Router', 'Logical_Router_Port'];
  const others = ['ACL', 'Port_Group', 'Address_Set', 'NB_Global'];
  const results = await setup.onlooker.transact(
    ...[...tables, ...others].map(table => ({ op: 'select', table, where: [] })),
  );
  const rows = results.flatMap(({ rows = [] }) => rows).map(row => JSON.stringify(row));
  return rows
    .filter(row => !row.includes('kube-northbound/installation'))
    .sort()
    .join('\n');
}

describe('rows of others', () => {
  it('are the same to the letter after start, churn, restart and an emptied folder', async () => {
    const { master, manifests, onlooker } = setup;
    await onlooker.transact(...foreignRows);
    master.start();
    await master.synced();
    await onlooker.transact(...portOnOurSwitch(onlooker.named('Logical_Switch', 'a')?.uuid ?? ''));
    const before = await foreignDump();
    await master.after(() => manifests.write('more.json', [pod('more', 'a', '10.200.1.77')]));
    await master.after(() => manifests.write('shop.json', shop.slice(0, 3)));
    expect(await foreignDump()).toBe(before);
    await master.end();
    master.start();
    await master.synced();
    expect(await foreignDump()).toBe(before);
    const ours = onlooker.named('Logical_Switch', 'a')?.columns;
    expect(ours?.other_config).toEqual(expect.objectContaining(new Map([['mcast_snoop', 'true']])));
    manifests.remove('more.json');
    await master.after(() => manifests.remove('shop.json'));
    expect(await foreignDump()).toBe(before);
  });
});

describe('a second master', () => {
  it.each([[[]], [['--once']]])('of the same installation gives up after five seconds (%p)', async extra => {
    setup.master.start();
    await setup.master.synced();
    const { code, stderr } = await kubeNorthbound([
      'master',
      '--manifests',
      setup.manifests.path,
      ...setup.access,
      ...extra,
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /another master of the installation "default" holds the lock kube_northbound_default/,
    );
  });

  it('takes over when the first one goes', async () => {
    const { master, folder, manifests, access } = setup;
    master.start();
    await master.synced();
    const config = join(folder, 'empty.yaml');
    writeFileSync(config, '');
    const second = new MasterProcess({
      folder,
      args: ['--manifests', manifests.path, '--config', config, ...access],
    });
    await master.end('SIGKILL');
    second.start();
    await second.synced();
    expect(await second.end()).toBe(0);
  });
});

describe('a second installation in one database', () => {
  it('gets conflicts that name the rows, harms nothing, and takes its place when the first one leaves', async () => {
    const { master, folder, manifests, onlooker, access } = setup;
    master.start();
    await master.synced();
    const first = JSON.stringify(onlooker.rows());
    const config = join(folder, 'second.yaml');
    writeFileSync(config, 'installation: second\n');
    const args = ['master', '--once', '--config', config, '--manifests', manifests.path, ...access];
    const { code, stderr } = await kubeNorthbound(args);
    expect(code).toBe(0);
    const uuid = onlooker.named('Logical_Switch', 'join')?.uuid;
    expect(stderr).toMatch(new RegExp(`Logical_Switch "join" .*installation "default" \\(uuid ${uuid}\\)`));
    expect((await kubeNorthbound([...args, '--strict'])).code).toBe(1);
    expect(onlooker.rows('second')).toEqual({});
    expect(JSON.stringify(onlooker.rows())).toBe(first);
    await master.after(() => manifests.remove('shop.json'));
    await master.end();
    manifests.write('shop.json', shop);
    expect((await kubeNorthbound([...args, '--strict'])).code).toBe(0);
    await eventually('the rows of the second one', () => onlooker.rows('second').Logical_Switch?.join);
  });
});
