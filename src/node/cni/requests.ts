import {
  CNI_CODES,
  type CniAnswer,
  type CniDelRequest,
  CniError,
  type CniRequest,
  errorAnswer,
} from '../../contracts/cni.ts';
import type { Log } from '../../contracts/log.ts';
import { NotConnectedError } from '../../ovsdb-client/index.ts';
import { type AttachContext, attach, detach } from './attach.ts';
import { addResult } from './result.ts';

type SandboxInterface = Pick<CniDelRequest, 'sandbox' | 'interfaceName'>;

/**
 * Carries requests out: those of different sandboxes at the same time, those of one sandbox's interface one after
 * the other. A DEL cancels the ADD of its interface that still runs.
 */
export class Requests {
  readonly #context: AttachContext;
  readonly #log: Log;
  /** By sandbox and interface: the end of the last request so far. */
  readonly #last = new Map<string, Promise<unknown>>();
  readonly #adding = new Map<string, AbortController>();
  readonly #abandoned = new Map<string, SandboxInterface>();
  readonly #stopping = new AbortController();

  constructor(context: Omit<AttachContext, 'abandoned'>, log: Log) {
    this.#log = log;
    const abandoned = (request: SandboxInterface, reason: unknown) => {
      const { sandbox, interfaceName } = request;
      log.error(
        { error: reason, sandbox },
        'what a failed ADD made is not removed yet; waiting for Open vSwitch',
      );
      this.#abandoned.set(keyOf(request), { sandbox, interfaceName });
    };
    this.#context = { ...context, abandoned };
  }

  /** Never rejects. `gone` says that nobody waits for the answer any more. */
  async handle(request: CniRequest, gone: AbortSignal): Promise<CniAnswer> {
    const { command, sandbox, interfaceName } = request;
    const started = performance.now();
    try {
      const answer: CniAnswer = { result: await this.#dispatch(request, gone) };
      const ms = Math.round(performance.now() - started);
      this.#log.info({ command, sandbox, interface: interfaceName, ms }, 'CNI request done');
      return answer;
    } catch (error) {
      this.#log.warn({ command, sandbox, interface: interfaceName, error }, 'CNI request failed');
      return errorAnswer(error instanceof NotConnectedError ? notConnected(error) : error);
    }
  }

  /** Removes what failed ADDs had to leave behind; to be called when the local OVS is back. */
  async retryAbandoned(): Promise<void> {
    for (const [key, request] of this.#abandoned) {
      try {
        await this.#inOrder(key, async () => {
          // What came before it in the queue may have cleaned up, and may be another ADD that succeeded.
          if (!this.#abandoned.has(key)) return;
          await detach(this.#context, request);
          this.#abandoned.delete(key);
        });
      } catch (error) {
        this.#log.warn({ error, sandbox: request.sandbox }, 'removing what a failed ADD made failed again');
      }
    }
  }

  /** Cancels the ADDs that run or wait, and resolves when every request has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort(cancelled('the agent is stopping'));
    await Promise.allSettled(this.#last.values());
  }

  async #dispatch(request: CniRequest, gone: AbortSignal): Promise<Readonly<Record<string, unknown>> | null> {
    const key = keyOf(request);
    if (request.command === 'DEL') {
      this.#adding.get(key)?.abort(cancelled('a DEL of the same interface came'));
      await this.#inOrder(key, () => detach(this.#context, request));
      this.#abandoned.delete(key);
      return null;
    }
    return this.#inOrder(key, async () => {
      const controller = new AbortController();
      this.#adding.set(key, controller);
      try {
        const signal = AbortSignal.any([controller.signal, gone, this.#stopping.signal]);
        const attachment = await attach(this.#context, request, signal);
        this.#abandoned.delete(key);
        return addResult(attachment, request.cniVersion);
      } finally {
        this.#adding.delete(key);
      }
    });
  }

  #inOrder<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const result = before.then(work, work);
    this.#last.set(key, result);
    const forget = () => {
      if (this.#last.get(key) === result) this.#last.delete(key);
    };
    result.then(forget, forget);
    return result;
  }
}

function keyOf({ sandbox, interfaceName }: SandboxInterface): string {
  return `${sandbox}/${interfaceName}`;
}

function notConnected(error: NotConnectedError): CniError {
  return new CniError(CNI_CODES.tryAgainLater, 'the local Open vSwitch database went away', error.message);
}

function cancelled(why: string): CniError {
  return new CniError(CNI_CODES.tryAgainLater, `ADD was cancelled: ${why}`);
}
