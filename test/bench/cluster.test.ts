import { describe, expect, it } from '@jest/globals';
import { LineReader, NameScanner, POD_OF_PORT, podEvent, waits } from './cluster/arrivals.ts';
import { burstOf, programmedOf } from './cluster/burst.ts';
import { percentile, spread } from './cluster/spread.ts';

/** What a stream of text may be cut into: two pieces, at every place. */
const cuts = (text: string) =>
  Array.from({ length: text.length + 1 }, (_, at) => [text.slice(0, at), text.slice(at)] as const);

describe('how values spread', () => {
  it('is told by values that are among them', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(spread(hundred)).toEqual({ p50: 50, p99: 99, max: 100 });
    expect(spread([3, 1, 2])).toEqual({ p50: 2, p99: 3, max: 3 });
    expect(percentile([7], 50)).toBe(7);
    expect(percentile([], 50)).toBeNaN();
  });
});

describe('what arrives in pieces', () => {
  const update = (name: string, uuid: string) =>
    `{"id":null,"method":"update","params":["ports",{"Logical_Switch_Port":{"${uuid}":{"new":{"name":"${name}"}}}}]}`;
  const text = update('team-1_web-1', 'a') + update('stor-node-1', 'b') + update('team-2_web.x', 'c');

  it('names pods of ports once', () => {
    for (const pieces of cuts(text)) {
      const scanner = new NameScanner(POD_OF_PORT);
      expect([...pieces, ''].flatMap(piece => scanner.take(piece))).toEqual(['web-1', 'web.x']);
    }
  });

  it('is made into lines', () => {
    for (const pieces of cuts('a\nbc\n\nd\n')) {
      const reader = new LineReader();
      expect(pieces.flatMap(piece => reader.take(piece))).toEqual(['a', 'bc', '', 'd']);
    }
  });
});

describe('an event of a watch', () => {
  const event = (type: string, kind: string, annotations: object) =>
    JSON.stringify({
      type,
      object: {
        kind,
        apiVersion: 'v1',
        metadata: {
          name: 'web-1',
          namespace: 'shop',
          resourceVersion: '17',
          labels: { resourceVersion: '1' },
          annotations,
        },
      },
    });

  it('is about a pod, which has an address or none', () => {
    expect(podEvent(event('ADDED', 'Pod', {}))).toEqual({ name: 'web-1', version: '17', hasAddress: false });
    const addressed = event('MODIFIED', 'Pod', { 'k8s.ovn.org/pod-networks': '{}' });
    expect(podEvent(addressed)).toEqual({ name: 'web-1', version: '17', hasAddress: true });
  });

  it('is about something else', () => {
    expect(podEvent(event('DELETED', 'Pod', {}))).toBeUndefined();
    expect(podEvent(event('BOOKMARK', 'Pod', {}))).toBeUndefined();
    expect(podEvent(event('ADDED', 'Node', {}))).toBeUndefined();
  });
});

describe('a burst of pods', () => {
  const created = {
    sent: [
      ['a', 1000],
      ['b', 1100],
    ],
    answered: [
      ['b', 1500],
      ['a', 1010],
    ],
  } as const;
  const pods = {
    seen: [
      ['a', 1012],
      ['b', 1490],
    ],
    addressed: [
      ['a', 1100],
      ['b', 3000],
    ],
    cuts: 1,
  } as const;

  it('is measured pod by pod', () => {
    const used = { api_server: 25, etcd: 10, northbound: 1, master: 0 };
    expect(burstOf(created, pods, used)).toEqual({
      seconds: 0.5,
      pods_per_second: 4,
      create_ms: { p50: 10, p99: 400, max: 400 },
      event_ms: { p50: -10, p99: 2, max: 2 },
      watch_cuts: 1,
      processor_ms_per_pod: { api_server: 12.5, etcd: 5, northbound: 0.5, master: 0 },
    });
    const ports = {
      shown: [
        ['b', 2000],
        ['a', 1020],
      ],
    } as const;
    expect(programmedOf(created, pods, ports)).toEqual({
      port_ms: { p50: 10, p99: 500, max: 500 },
      port_after_event_ms: { p50: 8, p99: 510, max: 510 },
      ports_seconds: 1,
      ports_per_second: 2,
      addresses_ms: { p50: 90, p99: 1500, max: 1500 },
      addresses_seconds: 2,
    });
  });

  it('misses none', () => {
    const from = new Map([['a', 1]]);
    expect(() => waits(from, new Map([['b', 2]]))).toThrow('a never came');
  });
});
