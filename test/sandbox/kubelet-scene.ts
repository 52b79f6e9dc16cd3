import { expect } from '@jest/globals';
import type { Raw } from '../../src/cluster/facts/raw.ts';
import type { KubeObject } from '../../src/cluster/manifest-source.ts';
import { PodKeeper } from '../../src/sandbox/kubelet/pod-keeper.ts';
import type { PodView } from '../../src/sandbox/pods/pod-host.ts';
import type { PodWish } from '../../src/sandbox/pods/pod-wish.ts';
import { Limiter } from '../../src/sandbox/processes/limiter.ts';
import { poll } from '../../src/sandbox/processes/poll.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { KubeletApi } from './kubelet-api.ts';

export const PATH = '/api/v1/namespaces/shop/pods/web';
const node = {
  name: 'n-a',
  chassis: 'n-a',
  id: 'n1',
  netns: 'knb-s-n1',
  encapIp: '170.168.0.3',
  addresses: ['172.31.0.11/24', 'fd31::11/64'],
};
export const attachment = { interface: 'eth0', mac: '0a:58:0a:80:00:05', ips: ['10.128.0.5', 'fd01::5'] };
export const running = { phase: 'Running', conditions: [{ type: 'ContainersReady', status: 'True' }] };

interface PodParts {
  readonly uid?: string;
  readonly spec?: Raw;
  readonly status?: Raw;
  readonly deletionTimestamp?: string;
}

export const podRaw = ({ uid = 'u1', spec = {}, status = {}, deletionTimestamp }: PodParts = {}): Raw => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'shop', name: 'web', uid, ...(deletionTimestamp ? { deletionTimestamp } : {}) },
  spec: {
    nodeName: 'n-a',
    containers: [{ name: 'c', image: 'web:1', ports: [{ containerPort: 80 }] }],
    ...spec,
  },
  status: { phase: 'Pending', ...status },
});

/** A keeper between an API server and pods that come and go as the test says. */
export class Scene {
  readonly api = new KubeletApi();
  readonly clock = new FakeClock();
  readonly wishes: string[] = [];
  readonly views = new Map<string, PodView>();
  readonly keeper: PodKeeper;

  constructor() {
    const ignore = () => undefined;
    this.keeper = new PodKeeper({
      node,
      api: this.api,
      clock: this.clock,
      limiter: new Limiter(4),
      log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
      changed: ignore,
      listed: ignore,
      host: { look: key => this.views.get(key), want: (key, wish) => this.#want(key, wish) },
    });
  }

  /** What a watch brings: the pod as the API server has it now. */
  put(parts: PodParts = {}): void {
    const raw = podRaw(parts);
    this.api.objects.set(PATH, raw);
    this.bring(raw);
  }

  bring(raw: Raw): void {
    const key = { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web' };
    const object: KubeObject = { ...key, raw };
    this.keeper.put(object);
  }

  gone(): void {
    this.api.objects.delete(PATH);
    this.keeper.deleted({ apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web' });
  }

  /** The pod's network changes; undefined: nothing is left of it. */
  become(view: Partial<PodView> | undefined, uid = 'u1'): void {
    const key = `shop/web/${uid}`;
    const had = this.views.get(key);
    if (view === undefined) this.views.delete(key);
    else if (had) this.views.set(key, { ...had, ...view });
    this.keeper.look(key);
  }

  /** A pod that runs and is ready as far as its network goes, with the API server told; nothing was asked so far. */
  async up(parts: PodParts = {}): Promise<void> {
    this.put(parts);
    await settled();
    this.become({ attachment, state: 'ready' });
    await settled();
    this.api.asked.length = 0;
  }

  get status(): Raw {
    return (this.api.objects.get(PATH)?.status ?? {}) as Raw;
  }

  async asked(...requests: readonly string[]): Promise<void> {
    await poll(1000, () => this.api.asked.length >= requests.length, 1);
    await settled();
    expect(this.api.asked).toEqual(requests);
  }

  #want(key: string, wish: PodWish | undefined): void {
    this.wishes.push(wish ? `${key}${wish.hostNetwork ? ' host' : ''} ${wish.ports.join()}` : `no ${key}`);
    const view = { namespace: 'shop', name: 'web', node: 'n-a', attachment: undefined };
    const had = this.views.get(key);
    if (wish) this.views.set(key, had ?? { ...view, state: 'waiting' });
    else if (had) this.views.set(key, { ...had, state: 'leaving' });
  }
}

/** All that can happen without a timer has happened. */
const settled = () => new Promise(resolve => setImmediate(resolve));
export const patch = `PATCH ${PATH}/status`;

/** The status of the pod's condition Ready. */
export function ready(status: Raw): unknown {
  return (status.conditions as readonly Raw[] | undefined)?.find(({ type }) => type === 'Ready')?.status;
}
