import type { WatchClock } from '../../cluster/watch/index.ts';
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
import { Abandoned } from './abandoned.ts';
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
    readonly clock: WatchClock;
    /** Numbers from 0 up to 1. */
    readonly random: () => number;
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
  readonly #abandoned: Abandoned;
  readonly #stopping = new AbortController();

  constructor(context: RequestsContext, log: Log) {
    this.#log = log;
    const { clock, random } = context;
    this.#abandoned = new Abandoned({ context, lanes: this.#lanes, log, clock, random });
    this.#context = { ...context, abandoned: (request, reason) => this.#abandoned.add(request, reason) };
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
  retryAbandoned(): Promise<void> {
    return this.#abandoned.retry();
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
    this.#abandoned.stop();
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
        this.#abandoned.forget(key);
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
      this.#abandoned.forget(key);
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
