import { afterEach } from '@jest/globals';
import type { RowDelta, Session, SessionState } from '../../src/ovsdb-client/index.ts';

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Does this after the test, before everything that was to be done earlier. */
export function afterTest(cleanup: () => Promise<void>): void {
  cleanups.push(cleanup);
}

/** A session with everything that it told. */
export interface Watched {
  readonly session: Session;
  readonly deltas: RowDelta[];
  readonly states: SessionState[];
  /** Resolves once `condition` holds, which is asked after every delta and every state. */
  until(condition: () => boolean): Promise<void>;
}

/** Starts a session, and closes it after the test. */
export function watch(session: Session): Watched {
  const deltas: RowDelta[] = [];
  const states: SessionState[] = [];
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const check of [...waiting]) check();
  };
  session.onDelta(batch => {
    deltas.push(...batch);
    wake();
  });
  session.onState(state => {
    states.push(state);
    wake();
  });
  afterTest(() => session.close());
  session.start();
  const until = (condition: () => boolean) =>
    new Promise<void>(resolve => {
      const check = () => {
        if (!condition()) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
    });
  return { session, deltas, states, until };
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  throw new Error('it did not reject');
}
