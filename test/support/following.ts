import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { KubernetesApi } from '../../src/cluster/api/index.ts';
import type { ClusterEvent } from '../../src/cluster/diagnostics.ts';
import type { KubeObject } from '../../src/cluster/manifest-object.ts';
import { Reflector, type WatchedResource } from '../../src/cluster/watch/index.ts';
import type { Log } from '../../src/contracts/log.ts';
import { FakeClock } from './fake-clock.ts';
import { poll } from './poll.ts';

export const PODS: WatchedResource = { apiVersion: 'v1', kind: 'Pod', path: '/api/v1/pods' };

/** A reflector with a clock of its own, and what it tells. */
export class Following {
  /** `+shop/web-0`, `-shop/web-0`, `listed`, in order. */
  readonly told: string[] = [];
  readonly objects: KubeObject[] = [];
  readonly unreadable: string[] = [];
  /** The reasons of warnings. */
  readonly warnings: string[] = [];
  /** What it publishes: `listed`, types of events, how watches ended. */
  readonly published: string[] = [];
  readonly clock = new FakeClock();
  /** Bytes of watches that the reflector has taken. */
  heardBytes = 0;
  /** false: the clock stands still also after failures. */
  impatient = true;
  readonly reflector: Reflector;
  readonly ended: Promise<void>;
  readonly #controller = new AbortController();
  readonly #hear = (message: unknown) => {
    const event = message as ClusterEvent;
    if (event.kind === 'watch-event') this.published.push(event.type);
    if (event.kind === 'watch-ended') this.published.push(event.reason);
    if (event.kind === 'listed') this.published.push(`${event.objects} ${event.resource}`);
  };

  constructor(api: KubernetesApi, resource: WatchedResource = PODS, random: () => number = () => 0) {
    const name = ({ namespace, name }: { namespace: string | undefined; name: string }) =>
      namespace === undefined ? name : `${namespace}/${name}`;
    subscribe(CHANNEL, this.#hear);
    const silent = () => {};
    const log: Log = {
      debug: silent,
      info: silent,
      warn: ({ reason }) => this.warnings.push(String(reason)),
      error: silent,
    };
    this.reflector = new Reflector({
      api: {
        request: request => api.request(request),
        stream: async request => this.#counted(await api.stream(request)),
      },
      resource,
      log,
      clock: this.clock,
      random,
      listener: {
        put: object => {
          this.objects.push(object);
          this.told.push(`+${name(object)}`);
        },
        deleted: key => this.told.push(`-${name(key)}`),
        listed: unreadable => {
          this.unreadable.push(...unreadable);
          this.told.push('listed');
        },
        unreadable: reason => this.unreadable.push(reason),
      },
    });
    this.ended = this.reflector.run(this.#controller.signal);
  }

  /** Waits for real, and lets the clock pass over the pauses after failures meanwhile. */
  async until(holds: () => boolean, what = ''): Promise<void> {
    await poll(
      () => {
        if (holds()) return true;
        const due = (this.clock.next() ?? Number.POSITIVE_INFINITY) - this.clock.now();
        if (this.impatient && due <= LONGEST_PAUSE) this.clock.advance(due);
        return false;
      },
      () => `${what}; told: ${this.told.join(' ')}; warnings: ${[...new Set(this.warnings)].join(' | ')}`,
      15_000,
    );
  }

  /** What was told since the last call, once it ends with this. */
  async toldUntil(last: string): Promise<readonly string[]> {
    await this.until(() => this.told.includes(last), last);
    return this.told.splice(0, this.told.indexOf(last) + 1);
  }

  async *#counted(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      yield chunk;
      this.heardBytes += chunk.length;
    }
  }

  stop(): Promise<void> {
    unsubscribe(CHANNEL, this.#hear);
    this.#controller.abort();
    return this.ended;
  }
}

const LONGEST_PAUSE = 30_000;
const CHANNEL = 'kube-northbound:cluster';
