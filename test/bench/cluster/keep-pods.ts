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
import { poll } from '../../../src/sandbox/processes/poll.ts';
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
  await gone(await keepOnce(api));
  const before = memoryNow().heap;
  const { store, stop } = await keep(api);
  // The list's last page is let go after the listener was called.
  await turn();
  const bytes = memoryNow().heap - before;
  stop();
  return { pods: store.size('pod'), bytes };
});

/** Keeps them, and lets them go. */
async function keepOnce(api: KubernetesApi): Promise<WeakRef<object>> {
  const { store, stop } = await keep(api);
  stop();
  return new WeakRef(store);
}

/** Waits until nothing holds it any more: what is let go only later would count as less that is kept. */
async function gone(reference: WeakRef<object>): Promise<void> {
  const isGone = await poll(10_000, () => {
    memoryNow();
    return reference.deref() === undefined;
  });
  if (!isGone) throw new Error('the pods that were kept first are never let go');
}

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
