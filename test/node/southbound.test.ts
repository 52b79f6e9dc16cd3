import { describe, expect, it } from '@jest/globals';
import { commit, until } from '../../src/node/database.ts';
import { fixedNode } from '../../src/node/own-node.ts';
import { PortBindings, podAddressing } from '../../src/node/southbound.ts';
import { FakeDatabase } from './fake-database.ts';
import { bind, podBinding } from './southbound-rows.ts';

const SELF = fixedNode('worker-1', 'chassis-1', undefined);
const POD = { namespace: 'shop', name: 'web', uid: 'uid-1' };

function southbound() {
  const database = new FakeDatabase();
  const bindings = new PortBindings(database);
  bind(database, 'rtos-worker-1', '0a:58:0a:80:00:01 10.128.0.1/23 fd01::1/64');
  return { database, bindings, lookup: (pod = POD) => podAddressing(bindings, SELF, pod) };
}

describe("a pod's addresses", () => {
  it('come with prefix and gateway of their family', () => {
    const { database, lookup } = southbound();
    bind(database, 'shop_web', '0a:58:0a:80:00:05 10.128.0.5 fd01::5', { 'iface-id-ver': 'uid-1' });
    expect(lookup()).toEqual({
      found: {
        mac: '0a:58:0a:80:00:05',
        uid: 'uid-1',
        ips: [
          { address: '10.128.0.5/23', gateway: '10.128.0.1' },
          { address: 'fd01::5/64', gateway: 'fd01::1' },
        ],
      },
    });
  });

  it('are those of the only instance where the runtime gives no uid', () => {
    const { database, bindings } = southbound();
    podBinding(database);
    const { uid: _, ...pod } = POD;
    expect(podAddressing(bindings, SELF, pod)).toMatchObject({ found: { uid: 'uid-1' } });
  });

  it.each([
    ['no port', undefined, {}, 'no port shop_web'],
    [
      'another instance',
      '0a:58:0a:80:00:05 10.128.0.5',
      { 'iface-id-ver': 'uid-0' },
      'uid uid-0, not to uid-1',
    ],
    ['no instance', '0a:58:0a:80:00:05 10.128.0.5', {}, 'uid (none)'],
    [
      'another chassis',
      '0a:58:0a:80:00:05 10.128.0.5',
      { 'iface-id-ver': 'uid-1', 'requested-chassis': 'worker-2' },
      'chassis worker-2',
    ],
    ['no address', '', { 'iface-id-ver': 'uid-1' }, 'no addresses yet'],
  ])('are missing with %s', (_, mac, options, reason) => {
    const { database, lookup } = southbound();
    if (mac !== undefined) bind(database, 'shop_web', mac, options);
    expect(lookup()).toMatchObject({ missing: expect.stringContaining(reason) });
  });

  it('are missing without a gateway of each family', () => {
    const database = new FakeDatabase();
    const bindings = new PortBindings(database);
    podBinding(database, { mac: '0a:58:0a:80:00:05 10.128.0.5 fd01::5' });
    const lookup = () => podAddressing(bindings, SELF, POD);
    expect(lookup()).toEqual({ missing: 'the southbound database has no port rtos-worker-1' });
    bind(database, 'rtos-worker-1', '0a:58:0a:80:00:01 10.128.0.1/23');
    expect(lookup()).toMatchObject({ missing: expect.stringContaining('no IPv6 gateway') });
  });

  it.each(['chassis-1', 'worker-1'])('accept the chassis by either name: %s', chassis => {
    const { database, lookup } = southbound();
    podBinding(database, { chassis });
    expect(lookup()).toHaveProperty('found');
  });
});

describe('the index of bindings', () => {
  it('follows the mirror, also where the new row of a port comes before the old one goes', () => {
    const { database, bindings } = southbound();
    const old = podBinding(database);
    const successor = podBinding(database, { uid: 'uid-2' });
    database.delete('Port_Binding', old);
    expect(bindings.get('shop_web')?.version).toBe('uid-2');
    database.delete('Port_Binding', successor);
    expect(bindings.get('shop_web')).toBeUndefined();
  });

  it('knows the subnets of all nodes', () => {
    const { database, bindings } = southbound();
    bind(database, 'rtos-worker-2', '0a:58:0a:80:02:01 10.128.2.1/23');
    podBinding(database);
    expect(bindings.nodeSubnets()).toEqual(['10.128.0.1/23', 'fd01::1/64', '10.128.2.1/23']);
  });
});

describe('waiting', () => {
  const late = () => new Error('late');

  it('ends at the change that brings what is waited for', async () => {
    const { database, bindings } = southbound();
    const waiting = until([database], () => bindings.get('shop_web'), { ms: 5_000, late });
    podBinding(database);
    expect(await waiting).toMatchObject({ logicalPort: 'shop_web' });
  });

  it('fails when the time is over, when it is cancelled, and with what the probe throws', async () => {
    const { database } = southbound();
    const never = () => undefined;
    await expect(until([database], never, { ms: 5, late })).rejects.toThrow('late');
    const controller = new AbortController();
    const limit = { ms: Number.POSITIVE_INFINITY, signal: controller.signal, late };
    const waiting = until([database], never, limit);
    controller.abort(new Error('cancelled'));
    await expect(waiting).rejects.toThrow('cancelled');
    await expect(until([database], never, limit)).rejects.toThrow('cancelled');
    const throws = () => {
      throw new Error('probe');
    };
    await expect(until([database], throws, { ms: 5_000, late })).rejects.toThrow('probe');
  });
});

describe('a transaction', () => {
  it('fails where a row that it changes is gone', async () => {
    const database = new FakeDatabase();
    const where = [['_uuid', '==', ['uuid', 'gone']]];
    const gone = commit(database, [{ op: 'mutate', table: 'Bridge', where, mutations: [] }]);
    await expect(gone).rejects.toThrow('mutate of Bridge: the row is gone');
  });
});
