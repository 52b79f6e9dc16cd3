import { Backoff } from '../../cluster/watch/backoff.ts';
import type { WatchClock } from '../../cluster/watch/index.ts';
import type { CniAttachment } from '../../contracts/cni.ts';
import type { Log } from '../../contracts/log.ts';
import { hostInterfaceName } from '../system/veth.ts';
import { type DetachContext, detach } from './detach.ts';
import type { Lanes } from './lanes.ts';

export interface AbandonedOptions {
  readonly context: DetachContext;
  /** By the name of the interface's end on the host. */
  readonly lanes: Lanes;
  readonly log: Log;
  readonly clock: WatchClock;
  /** Numbers from 0 up to 1. */
  readonly random: () => number;
}

/**
 * What failed ADDs had to leave behind. It is removed by {@link retry}, which whoever sees the local Open vSwitch come
 * back calls; where something else than that connection is in the way, also by itself, after ever longer pauses.
 */
export class Abandoned {
  readonly #options: AbandonedOptions;
  readonly #backoff: Backoff;
  readonly #attachments = new Map<string, CniAttachment>();
  #cancelRetry: (() => void) | undefined;
  #stopped = false;

  constructor(options: AbandonedOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.random);
  }

  add({ sandbox, interfaceName }: CniAttachment, reason: unknown): void {
    this.#options.log.error(
      { error: reason, sandbox },
      'what a failed ADD made is not removed yet: that is tried again',
    );
    this.#attachments.set(hostInterfaceName(sandbox, interfaceName), { sandbox, interfaceName });
    this.#schedule();
  }

  /** The attachment was removed, or made anew, by the work of this key. */
  forget(key: string): void {
    this.#attachments.delete(key);
  }

  /** Never rejects. */
  async retry(): Promise<void> {
    for (const [key, attachment] of this.#attachments) await this.#remove(key, attachment);
    if (this.#attachments.size === 0) this.#backoff.reset();
    else this.#schedule();
  }

  /** Tries nothing any more by itself: the next agent looks for what is left when it starts. */
  stop(): void {
    this.#stopped = true;
    this.#cancelRetry?.();
  }

  async #remove(key: string, attachment: CniAttachment): Promise<void> {
    const { context, lanes, log } = this.#options;
    try {
      await lanes.run(key, async () => {
        // What came before it in the queue may have cleaned up, and may be another ADD that succeeded.
        if (!this.#attachments.has(key)) return;
        await detach(context, attachment);
        this.#attachments.delete(key);
      });
    } catch (error) {
      log.warn({ error, sandbox: attachment.sandbox }, 'removing what a failed ADD made failed again');
    }
  }

  #schedule(): void {
    const { context, clock } = this.#options;
    if (this.#stopped || !context.ovs.connected) return;
    this.#cancelRetry ??= clock.after(this.#backoff.next(), () => {
      this.#cancelRetry = undefined;
      void this.retry();
    });
  }
}
