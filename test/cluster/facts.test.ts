import { describe, expect, it } from '@jest/globals';
import { formatCidr, formatIp } from '../../src/addresses/index.ts';
import { internalIps, nodeFact, podFact, wantsPort } from '../../src/cluster/facts/index.ts';

const annotated = (name: string, value: unknown) => ({
  metadata: {
    annotations: { [`k8s.ovn.org/${name}`]: typeof value === 'string' ? value : JSON.stringify(value) },
  },
});

describe('a Node', () => {
  const subnetsOf = (raw: Record<string, unknown>) => nodeFact('a', raw).subnets?.map(formatCidr);

  it('takes its subnets from the annotation before spec.podCIDRs', () => {
    const raw = {
      ...annotated('node-subnets', { default: ['10.130.0.0/23', 'fd01:0:0:2::/64'] }),
      spec: { podCIDRs: ['10.1.0.0/24'] },
    };
    expect(subnetsOf(raw)).toEqual(['10.130.0.0/23', 'fd01:0:0:2::/64']);
  });

  it('reads the older form of the annotation, a single text', () => {
    expect(subnetsOf(annotated('node-subnets', { default: '10.130.0.0/23' }))).toEqual(['10.130.0.0/23']);
  });

  it('takes spec.podCIDRs, then spec.podCIDR, IPv4 first', () => {
    expect(subnetsOf({ spec: { podCIDRs: ['fd01::/64', '10.1.0.0/24'] } })).toEqual([
      '10.1.0.0/24',
      'fd01::/64',
    ]);
    expect(subnetsOf({ spec: { podCIDR: '10.1.0.0/24' } })).toEqual(['10.1.0.0/24']);
  });

  it.each([
    ['none is given', {}],
    ['another network has some', annotated('node-subnets', { blue: ['10.0.0.0/24'] })],
  ])('leaves the subnets to the allocator where %s', (_, raw) => {
    expect(nodeFact('a', raw)).toMatchObject({ subnets: undefined, problem: undefined });
  });

  it.each([
    ['an annotation that is not JSON', annotated('node-subnets', '10.0.0.0/24'), /node-subnets: not JSON/],
    [
      'an annotation that is a list',
      annotated('node-subnets', ['10.0.0.0/24']),
      /must be an object by networks' names/,
    ],
    [
      'no subnet',
      annotated('node-subnets', { default: ['10.0.0.300/24'] }),
      /"10.0.0.300\/24" is not a subnet/,
    ],
    ['two of a family', { spec: { podCIDRs: ['10.0.0.0/24', '10.0.1.0/24'] } }, /more than one IPv4 subnet/],
    ['a spec that is a list', { spec: [] }, /spec must be an object/],
  ])('names what is wrong with %s', (_, raw, message) => {
    const fact = nodeFact('a', raw);
    expect(fact.problem).toMatch(message);
    expect(fact.subnets).toBeUndefined();
  });

  it('is its own chassis unless the annotation names another', () => {
    expect(nodeFact('a', {}).chassis).toBe('a');
    expect(nodeFact('a', annotated('node-chassis-id', '7dc6')).chassis).toBe('7dc6');
  });

  it('is still known by what can be read of it', () => {
    const metadata = { uid: [1], annotations: { 'k8s.ovn.org/node-chassis-id': '7dc6' } };
    expect(nodeFact('a', { metadata, spec: { podCIDRs: ['10.0.0.0/24'] } })).toMatchObject({
      chassis: '7dc6',
      subnets: [{ prefix: 24 }],
      problem: 'metadata.uid must be a string',
    });
  });

  it('has the id of its annotation, apart from the rest', () => {
    expect(nodeFact('a', annotated('node-id', '7'))).toMatchObject({
      id: 7,
      idProblem: undefined,
      shown: { id: '7' },
    });
    const odd = nodeFact('a', { ...annotated('node-id', '-7'), spec: { podCIDRs: ['10.0.0.0/24'] } });
    expect(odd).toMatchObject({ id: undefined, subnets: [{ prefix: 24 }], problem: undefined });
    expect(odd.idProblem).toBe('k8s.ovn.org/node-id: "-7" is not a number such as 2; remove it');
  });

  it('has the addresses of type InternalIP', () => {
    const addresses = [
      { type: 'Hostname', address: 'a' },
      { type: 'InternalIP', address: '172.31.0.11' },
      { type: 'InternalIP', address: 'fd31::11' },
    ];
    expect(internalIps({ status: { addresses: [null, 7, ...addresses] } })).toEqual([
      '172.31.0.11',
      'fd31::11',
    ]);
  });
});

describe('a Pod', () => {
  const claimed = (raw: Record<string, unknown>) => podFact('ns', 'p', raw).claimed?.ips.map(formatIp);
  const networks = {
    default: { ip_addresses: ['10.128.1.3/24', 'fd01::3/64'], mac_address: '0A:58:0a:80:01:03' },
  };

  it('claims the addresses of its annotation before those of its status', () => {
    const raw = { ...annotated('pod-networks', networks), status: { podIPs: [{ ip: '10.9.9.9' }] } };
    expect(claimed(raw)).toEqual(['10.128.1.3', 'fd01::3']);
    expect(podFact('ns', 'p', raw).claimed?.mac).toBe('0a:58:0a:80:01:03');
  });

  it('runs with the addresses of its status, in the same list where it claims the same', () => {
    const same = podFact('ns', 'p', {
      ...annotated('pod-networks', networks),
      status: { podIPs: [{ ip: 'fd01::3' }, { ip: '10.128.1.3' }] },
    });
    expect(same.running?.map(formatIp)).toEqual(['10.128.1.3', 'fd01::3']);
    expect(same.running).toBe(same.claimed?.ips);
    const broken = podFact('ns', 'p', { ...annotated('pod-networks', '{'), status: { podIP: '10.9.9.9' } });
    expect(broken.running?.map(formatIp)).toEqual(['10.9.9.9']);
    expect(broken.claimed).toBeUndefined();
    const odd = podFact('ns', 'p', { ...annotated('pod-networks', networks), status: { podIP: 'x' } });
    expect(odd).toMatchObject({ running: undefined, problem: undefined });
  });

  it('remembers of its annotation no more than it takes to know it again', () => {
    const shown = (value: unknown) => podFact('ns', 'p', annotated('pod-networks', value)).shown;
    expect(shown(networks)).toEqual({ digest: expect.any(Number), others: undefined });
    expect(shown(networks)).toEqual(shown(JSON.stringify(networks, undefined, 2)));
    expect(shown({ default: {} })?.digest).not.toBe(shown(networks)?.digest);
    expect(shown({ ...networks, blue: { a: 1 } })).toEqual({
      ...shown(networks),
      others: '{"blue":{"a":1}}',
    });
    expect(shown({ blue: {} })).toMatchObject({ others: '{"blue":{}}' });
    expect([shown('{'), shown('[]'), podFact('ns', 'p', {}).shown]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('claims status.podIPs, then status.podIP', () => {
    expect(claimed({ status: { podIPs: [{ ip: 'fd01::3' }, { ip: '10.128.1.3' }] } })).toEqual([
      '10.128.1.3',
      'fd01::3',
    ]);
    expect(claimed({ status: { podIP: '10.128.1.3' } })).toEqual(['10.128.1.3']);
    expect(claimed({ status: { phase: 'Pending' } })).toBeUndefined();
    const other = annotated('pod-networks', { blue: { ip_addresses: ['10.9.0.3/24'] } });
    expect(podFact('ns', 'p', other)).toMatchObject({ claimed: undefined, problem: undefined });
  });

  it.each([
    ['an annotation that is not JSON', annotated('pod-networks', '{'), /pod-networks: not JSON/],
    ['no address', annotated('pod-networks', { default: {} }), /"ip_addresses" must be a list/],
    [
      'a bad address',
      annotated('pod-networks', { default: { ip_addresses: ['x'] } }),
      /"x" is not an address/,
    ],
    [
      'a multicast MAC',
      annotated('pod-networks', {
        default: { ip_addresses: ['10.0.0.3/24'], mac_address: '01:00:5e:00:00:01' },
      }),
      /not a unicast MAC/,
    ],
    [
      'two addresses of a family',
      { status: { podIPs: [{ ip: '10.0.0.3' }, { ip: '10.0.0.4' }] } },
      /more than one IPv4/,
    ],
    ['a phase that is no text', { status: { phase: 7 } }, /status.phase must be a string/],
    ['hostNetwork as text', { spec: { hostNetwork: 'true' } }, /spec.hostNetwork must be true or false/],
    ['a uid that no database can hold', { metadata: { uid: 'a\0' } }, /metadata.uid has a NUL/],
    ['half a surrogate pair', { metadata: { uid: '\ud800' } }, /half of a surrogate pair/],
    ['a nodeName that is no text', { spec: { nodeName: 7 } }, /spec.nodeName must be a string/],
  ])('names what is wrong with %s', (_, raw, message) => {
    const fact = podFact('ns', 'p', raw);
    expect(fact.problem).toMatch(message);
    expect(fact.claimed).toBeUndefined();
  });

  it('is still known by what can be read of it', () => {
    const spec = { nodeName: 'a' };
    expect(podFact('ns', 'p', { spec, status: 5 })).toMatchObject({
      node: 'a',
      problem: 'status must be an object',
    });
    expect(podFact('ns', 'p', { spec, metadata: { uid: 'u', annotations: 7 } })).toMatchObject({
      node: 'a',
      uid: 'u',
    });
  });

  it('wants no port of the host network, nor after its end', () => {
    expect(wantsPort(podFact('ns', 'p', { spec: { hostNetwork: true } }))).toBe(false);
    expect(wantsPort(podFact('ns', 'p', { status: { phase: 'Succeeded' } }))).toBe(false);
    expect(wantsPort(podFact('ns', 'p', { status: { phase: 'Failed' } }))).toBe(false);
    expect(wantsPort(podFact('ns', 'p', { status: { phase: 'Running' } }))).toBe(true);
  });

  it('has a uid derived from its name where the manifest has none, the same each time', () => {
    const uid = podFact('ns', 'p', {}).instance;
    expect(uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(podFact('ns', 'p', {}).instance).toBe(uid);
    expect(podFact('ns', 'q', {}).instance).not.toBe(uid);
    expect(podFact('ns', 'p', { metadata: { uid: 'given' } }).instance).toBe('given');
  });
});
