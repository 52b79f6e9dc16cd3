import { channel } from 'node:diagnostics_channel';
import { asError, OperationError } from './errors.ts';

/** What the client says about itself on the diagnostics channel `kube-northbound:ovsdb`. */
export type DiagnosticEvent =
  | { readonly kind: 'state'; readonly database: string; readonly state: string; readonly cause?: Error }
  | { readonly kind: 'attempt-failed'; readonly database: string; readonly cause: Error }
  | {
      readonly kind: 'transaction';
      readonly database: string;
      /** `unanswered`: the connection broke, so that nobody knows. */
      readonly outcome: 'committed' | 'refused' | 'unanswered';
      readonly operations: number;
      readonly seconds: number;
    }
  | { readonly kind: 'listener-threw'; readonly database: string; readonly cause: unknown };

const ovsdb = channel('kube-northbound:ovsdb');

/** Publishes an event. A listener's exception that nobody subscribes to becomes a warning of the process. */
export function report(event: DiagnosticEvent): void {
  if (ovsdb.hasSubscribers) {
    ovsdb.publish(event);
  } else if (event.kind === 'listener-threw') {
    const { stack, message } = asError(event.cause);
    process.emitWarning(`a listener of the OVSDB session threw: ${stack ?? message}`);
  }
}

/** Publishes how a transaction that was just sent ends, where anybody listens. */
export function reportTransaction(database: string, operations: number, results: Promise<unknown>): void {
  if (!ovsdb.hasSubscribers) return;
  const started = performance.now();
  const end = (outcome: 'committed' | 'refused' | 'unanswered') => {
    const seconds = (performance.now() - started) / 1000;
    report({ kind: 'transaction', database, outcome, operations, seconds });
  };
  results.then(
    () => end('committed'),
    error => end(error instanceof OperationError ? 'refused' : 'unanswered'),
  );
}
