import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from '@jest/globals';
import type { ApiRequest, KubernetesApi } from '../../src/cluster/api/index.ts';
import type { Raw } from '../../src/cluster/facts/raw.ts';
import { KubernetesSource } from '../../src/cluster/kubernetes-source.ts';
import { FactStore } from '../../src/engine/index.ts';
import { knownKind } from '../../src/master/kinds.ts';
import type { Facts } from '../../src/translate/index.ts';
import { podLike } from '../support/pod-like.ts';

const PODS = 20_000;
/** Bytes of heap for a pod: its fact, and what the reflector keeps. */
const BOUND = 1024;

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

function heap(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

/** Serves pods page by page, and a watch on which nothing happens. */
class Pods implements KubernetesApi {
  /** The heap in the middle of the list. */
  halfway = 0;

  async request({ query }: ApiRequest): Promise<Raw> {
    const from = Number(query?.continue ?? 0);
    const to = from + Number(query?.limit);
    if (from <= PODS / 2 && to > PODS / 2) this.halfway = heap();
    const items = Array.from({ length: to - from }, (_, index) =>
      podLike(from + index, 1_000_000 + from + index),
    );
    const metadata = { resourceVersion: '2000000', ...(to < PODS && { continue: String(to) }) };
    return JSON.parse(JSON.stringify({ metadata, items }));
  }

  async stream({ signal }: ApiRequest): Promise<AsyncIterable<Uint8Array>> {
    return (async function* () {
      await new Promise(resolve => signal?.addEventListener('abort', resolve));
      yield new Uint8Array();
    })();
  }
}

it(`keeps at most ${BOUND} bytes for each of ${PODS} pods`, async () => {
  const store = new FactStore<Facts>();
  const api = new Pods();
  const resource = { apiVersion: 'v1', kind: 'Pod', path: '/api/v1/pods' };
  const before = heap();
  let stop = () => {};
  await new Promise<void>(resolve => {
    stop = new KubernetesSource({ api, resources: [resource] }).watch(({ put }) => {
      for (const object of put) {
        const kind = knownKind(object);
        if (kind !== undefined) store.put(kind.fact, kind.keyOf(object), kind.trim(object));
      }
      resolve();
    });
  });
  await new Promise(resolve => setImmediate(resolve));
  const kept = (heap() - before) / PODS;
  const halfway = (api.halfway - before) / (PODS / 2);
  stop();
  process.stderr.write(
    `bytes of heap for a pod: ${Math.round(kept)}; while listed: ${Math.round(halfway)}\n`,
  );
  expect(store.size('pod')).toBe(PODS);
  expect(kept).toBeLessThan(BOUND);
  expect(halfway).toBeLessThan(4 * BOUND);
}, 180_000);
