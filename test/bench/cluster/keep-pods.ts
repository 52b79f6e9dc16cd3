/**
 * Run as a process of its own, with `--expose-gc`: follows the pods of an API server as the master does, and keeps of
 * them what `src/cluster` makes the master keep, and nothing else. Reports how much of the heap that is.
 *
 *     keep-pods KUBECONFIG
 */
import process from 'node:process';
import { setImmediate as turn } from 'node:timers/promises';
import { type KubernetesApi, openKubernetes } from '../../../src/cluster/api/index.ts';
import { CLUSTER_RESOURCES, KubernetesSource } from '../../../src/cluster/kubernetes-source.ts';
import { FactStore } from '../../../src/engine/index.ts';
import { knownKind } from '../../../src/master/kinds.ts';
import type { Facts } from '../../../src/translate/index.ts';
import { runHelper } from './helper-side.ts';
import { memoryNow } from './memory.ts';

export interface KeptReport {
  readonly pods: number;
  readonly bytes: number;
}

/** Facts of all pods, and the source that goes on following them. */
interface Kept {
  readonly store: FactStore<Facts>;
  readonly stop: () => void;
}

const [kubeconfig = ''] = process.argv.slice(2);

runHelper<KeptReport>(async () => {
  const api = openKubernetes({ kubeconfig });
  // The first time, Node compiles the code, and connections are opened.
  (await keep(api)).stop();
  const before = await heap();
  const { store, stop } = await keep(api);
  const bytes = (await heap()) - before;
  stop();
  return { pods: store.size('pod'), bytes };
});

function keep(api: KubernetesApi): Promise<Kept> {
  const store = new FactStore<Facts>();
  const resources = CLUSTER_RESOURCES.filter(({ kind }) => kind === 'Pod');
  return new Promise(resolve => {
    const stop = new KubernetesSource({ api, resources }).watch(({ put }) => {
      for (const object of put) {
        const kind = knownKind(object);
        if (kind) store.put(kind.fact, kind.keyOf(object), kind.trim(object));
      }
      resolve({ store, stop });
    });
  });
}

async function heap(): Promise<number> {
  await turn();
  return memoryNow().heap;
}
