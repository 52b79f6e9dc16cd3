import { channel } from 'node:diagnostics_channel';
import { asError } from './errors.ts';

/** What the client says about itself on the diagnostics channel `kube-northbound:ovsdb`. */
export type DiagnosticEvent =
  | { readonly kind: 'state'; readonly database: string; readonly state: string; readonly cause?: Error }
  | { readonly kind: 'attempt-failed'; readonly database: string; readonly cause: Error }
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
