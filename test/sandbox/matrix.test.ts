import { describe, expect, it } from '@jest/globals';
import {
  matrixSources,
  type ProbeResult,
  probeLines,
  probesFrom,
  readResults,
} from '../../src/sandbox/matrix/matrix.ts';
import { isAllAnswered, matrixText } from '../../src/sandbox/matrix/matrix-text.ts';
import { type PodStatus, type SandboxStatus, statusText } from '../../src/sandbox/status.ts';

const pod = (name: string, node: string, ips: readonly string[], ports: readonly string[]): PodStatus => ({
  namespace: 'shop',
  name,
  node,
  netns: `ns-${name}`,
  interface: 'eth0',
  mac: '0a:58:0a:80:00:05',
  ips,
  logicalPort: `shop_${name}`,
  ports,
});

const status: SandboxStatus = {
  name: 'test',
  databases: { nb: 'unix:/r/nb.sock', sb: 'unix:/r/sb.sock' },
  nodes: [
    { name: 'n-a', netns: 'ns-a', ips: ['192.0.2.1'], ovsdb: 'unix:/r/n1/db.sock' },
    { name: 'n-b', netns: 'ns-b', ips: ['192.0.2.2'], ovsdb: 'unix:/r/n2/db.sock' },
  ],
  outside: { netns: 'ns-outside', ips: ['192.0.2.254'] },
  processes: [
    { name: 'nb', pid: 42 },
    { name: 'northd', pid: null },
  ],
  pods: [pod('web', 'n-a', ['10.0.0.1', 'fd01::1'], ['tcp:80']), pod('dns', 'n-b', ['10.0.1.1'], ['udp:53'])],
  waiting: [{ namespace: 'shop', name: 'late', node: 'n-a', state: 'waiting', problem: 'no agent' }],
};

const sourceOf = (name: string) => {
  const source = matrixSources(status).find(candidate => candidate.name === name);
  if (!source) throw new Error(`no source ${name}`);
  return source;
};

const answered = (answer: (line: string) => string): readonly ProbeResult[] =>
  matrixSources(status).flatMap(source => {
    const probes = probesFrom(source, status);
    return readResults(probes, probeLines(probes).split('\n').filter(Boolean).map(answer).join('\n'));
  });

const idOf = (line: string) => line.split(' ')[0] ?? '';

describe('the matrix', () => {
  it('asks every other pod by every address and port, and a node only its own pods', () => {
    expect(probeLines(probesFrom(sourceOf('shop/dns'), status))).toBe(
      [
        '0 ping 10.0.0.1',
        '1 tcp 10.0.0.1 80 shop/web',
        '2 ping fd01::1',
        '3 tcp fd01::1 80 shop/web',
        '',
      ].join('\n'),
    );
    expect(probeLines(probesFrom(sourceOf('n-b'), status))).toBe(
      '0 ping 10.0.1.1\n1 udp 10.0.1.1 53 shop/dns\n',
    );
  });

  it('is good when everything answered', () => {
    const results = answered(line => `${idOf(line)} ok`);
    expect(isAllAnswered(results)).toBe(true);
    expect(matrixText(status, results, false)).toBe(
      `   FROM \\ TO   NODE  1    2
1  shop/web    n-a   -    2/2
2  shop/dns    n-b   4/4  -
   (node n-a)  n-a   4/4  -
   (node n-b)  n-b   -    2/2

2 pods on 2 nodes: 12 of 12 probes answered by ping, UDP, TCP
`,
    );
  });

  it('names what failed', () => {
    const results = answered(line =>
      line.includes('fd01::1 80') ? `${idOf(line)} bad connect: timed out` : `${idOf(line)} ok`,
    );
    expect(isAllAnswered(results)).toBe(false);
    const text = matrixText(status, results, false);
    expect(text).toContain('shop/dns -> shop/web: tcp [fd01::1]:80: connect: timed out\n');
    expect(text).toContain('10 of 12 probes');
    expect(text).toMatch(/^2 {2}shop\/dns .* 3\/4/m);
  });

  it('does not count what the kernel cannot do, but says so', () => {
    const results = answered(line =>
      line.includes(' udp ') ? `${idOf(line)} none no udp in this kernel` : `${idOf(line)} ok`,
    );
    expect(isAllAnswered(results)).toBe(true);
    expect(matrixText(status, results, false)).toMatch(/^1 {2}shop\/web .* 1\/1$/m);
    expect(matrixText(status, results, false)).toContain(
      '10 of 10 probes answered by ping, TCP (left out: no udp in this kernel)',
    );
  });

  it('counts a probe as failed that the script does not answer for', () => {
    const results = answered(() => '');
    expect(isAllAnswered(results)).toBe(false);
    expect(results[0]).toMatchObject({ result: 'bad', reason: 'the probe was not made' });
  });

  it('is coloured on a terminal only', () => {
    const results = answered(line => (line.includes(' udp ') ? `${idOf(line)} bad x` : `${idOf(line)} ok`));
    const text = matrixText(status, results, true);
    expect(text).toContain('\u001b[32m4/4\u001b[0m');
    expect(text).toContain('\u001b[31m1/2\u001b[0m');
    expect(matrixText(status, results, false)).not.toContain('\u001b');
  });
});

describe('the status as text', () => {
  it('lists everything in aligned columns', () => {
    expect(statusText(status)).toBe(`sandbox test
northbound unix:/r/nb.sock
southbound unix:/r/sb.sock

NODE       NETNS       ADDRESSES    OVSDB
n-a        ns-a        192.0.2.1    unix:/r/n1/db.sock
n-b        ns-b        192.0.2.2    unix:/r/n2/db.sock
(outside)  ns-outside  192.0.2.254

PROCESS  PID
nb       42
northd   not running

POD       NODE  NETNS   MAC                ADDRESSES         PORTS
shop/web  n-a   ns-web  0a:58:0a:80:00:05  10.0.0.1 fd01::1  tcp:80
shop/dns  n-b   ns-dns  0a:58:0a:80:00:05  10.0.1.1          udp:53

NOT READY  STATE    WHY
shop/late  waiting  no agent
`);
  });
});
