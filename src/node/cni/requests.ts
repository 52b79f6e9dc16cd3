import {
  CNI_CODES,
  type CniAddRequest,
  type CniAnswer,
  type CniAttachment,
  CniError,
  type CniRequest,
  type CniResult,
  errorAnswer,
} from '../../contracts/cni.ts';
import type { Log } from '../../contracts/log.ts';
import { NotConnectedError } from '../../ovsdb-client/index.ts';
import { publish } from '../diagnostics.ts';
import { hostInterfaceName } from '../system/veth.ts';
import { type AttachContext, attach } from './attach.ts';
import { type CheckContext, check } from './check.ts';
import { detach } from './detach.ts';
import { collectGarbage } from './garbage.ts';
import { Lanes } from './lanes.ts';
import { addResult } from './result.ts';
import { sweep } from './sweep.ts';

export type RequestsContext = Omit<AttachContext, 'abandoned'> &
  CheckContext & {
    /** What keeps ADDs from being served: what STATUS answers. */
    readonly readiness: { readonly problem: CniError | undefined };
  };

/**
 * Carries requests out: those of different sandboxes at the same time, those of one sandbox's interface one after
 * the other. A DEL cancels the ADD of its interface that still runs.
 */
export class Requests {
  readonly #context: RequestsContext & AttachContext;
  readonly #log: Log;
  /** By the name of the interface's end on the host, which is there also where the attachment is not known. */
  readonly #lanes = new Lanes();
  readonly #adding = new Map<string, AbortController>();
  readonly #abandoned = new Map<string, CniAttachment>();
  readonly #stopping = new AbortController();

  constructor(context: RequestsContext, log: Log) {
    this.#log = log;
    const abandoned = (request: CniAttachment, reason: unknown) => {
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
    const { command } = request;
    const about =
      'sandbox' in request ? { sandbox: request.sandbox, interfaceName: request.interfaceName } : {};
    const started = performance.now();
    publish({ kind: 'cni-began', command });
    const answer = await this.#answer(request, gone, about);
    const seconds = (performance.now() - started) / 1000;
    const failure = 'error' in answer ? answer.error : undefined;
    publish({ kind: 'cni-ended', command, result: failure ? String(failure.code) : 'ok', seconds });
    // Runtimes ask for the STATUS every few seconds.
    const level = command === 'STATUS' ? 'debug' : 'info';
    if (!failure) this.#log[level]({ command, ...about, seconds }, 'CNI request done');
    return answer;
  }

  async #answer(request: CniRequest, gone: AbortSignal, about: Partial<CniAttachment>): Promise<CniAnswer> {
    try {
      return { result: await this.#dispatch(request, gone) };
    } catch (error) {
      this.#log.warn({ command: request.command, ...about, error }, 'CNI request failed');
      return errorAnswer(error instanceof NotConnectedError ? notConnected(error) : error);
    }
  }

  /** Removes what failed ADDs had to leave behind; to be called when the local OVS is back. */
  async retryAbandoned(): Promise<void> {
    for (const [key, attachment] of this.#abandoned) {
      try {
        await this.#lanes.run(key, async () => {
          // What came before it in the queue may have cleaned up, and may be another ADD that succeeded.
          if (!this.#abandoned.has(key)) return;
          await detach(this.#context, attachment);
          this.#abandoned.delete(key);
        });
      } catch (error) {
        this.#log.warn(
          { error, sandbox: attachment.sandbox },
          'removing what a failed ADD made failed again',
        );
      }
    }
  }

  /** Removes what pods that are gone have left: see {@link sweep}. */
  async sweep(): Promise<void> {
    await sweep(this.#context, this.#lanes, this.#log).catch(error => {
      this.#log.error({ error }, 'what pods that are gone have left could not be looked for');
    });
  }

  /** Cancels the ADDs and CHECKs that run or wait, and resolves when every request has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort(cancelled('the agent is stopping'));
    await this.#lanes.idle();
  }

  async #dispatch(request: CniRequest, gone: AbortSignal): Promise<CniResult | null> {
    switch (request.command) {
      case 'STATUS':
        if (this.#context.readiness.problem) throw this.#context.readiness.problem;
        return null;
      case 'GC': {
        const removed = await collectGarbage(this.#context, this.#lanes, request);
        if (removed > 0) this.#log.info({ removed }, 'interfaces without a pod removed');
        return null;
      }
      case 'ADD':
        return this.#lanes.run(keyOf(request), () => this.#add(request, gone));
      case 'CHECK': {
        const signal = AbortSignal.any([gone, this.#stopping.signal]);
        await this.#lanes.run(keyOf(request), () => check(this.#context, request, signal));
        return null;
      }
      case 'DEL': {
        const key = keyOf(request);
        this.#adding.get(key)?.abort(cancelled('a DEL of the same interface came'));
        await this.#lanes.run(key, () => detach(this.#context, request));
        this.#abandoned.delete(key);
        return null;
      }
    }
  }

  async #add(request: CniAddRequest, gone: AbortSignal): Promise<CniResult> {
    const key = keyOf(request);
    const controller = new AbortController();
    this.#adding.set(key, controller);
    try {
      const signal = AbortSignal.any([controller.signal, gone, this.#stopping.signal]);
      const attachment = await attach(this.#context, request, signal);
      this.#abandoned.delete(key);
      return addResult(attachment, request.cniVersion, request.prevResult);
    } finally {
      this.#adding.delete(key);
    }
  }
}

function keyOf({ sandbox, interfaceName }: CniAttachment): string {
  return hostInterfaceName(sandbox, interfaceName);
}

function notConnected(error: NotConnectedError): CniError {
  return new CniError(CNI_CODES.tryAgainLater, 'the local Open vSwitch database went away', error.message);
}

function cancelled(why: string): CniError {
  return new CniError(CNI_CODES.tryAgainLater, `the request was cancelled: ${why}`);
}
