import { createHash } from 'node:crypto';
import type { ApiRequest } from '../api/types.ts';
import type { Raw } from '../facts/raw.ts';

/** Who the Events of the master are from. */
const REPORTER = 'kube-northbound-master';

/** Something that is wrong with an object, as `kubectl describe` is to show it. */
export interface Happening {
  readonly kind: 'Node' | 'Pod';
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string;
  /** A fixed word (`reason` of the Event). */
  readonly reason: string;
  readonly note: string;
  /** It has begun since the last look, also where it was seen then. */
  readonly isNew: boolean;
}

/** Limits of the API (events.k8s.io/v1), in bytes and characters. */
const LONGEST_NOTE = 1024;
const LONGEST_NAME = 253;

/** Tells one happening from another: the same words of the same object are the same, whoever leads. */
export function happeningId({ uid, reason, note }: Happening): string {
  return createHash('sha256')
    .update(JSON.stringify([uid, reason, note]))
    .digest('hex')
    .slice(0, 16);
}

/** Creates the Event. Its name follows from the happening, so that it cannot be there twice. */
export function createEvent(happening: Happening, instance: string, now: Date): ApiRequest {
  const { kind, name, uid, reason, note } = happening;
  const namespace = happening.namespace ?? 'default';
  return {
    method: 'POST',
    path: `/apis/events.k8s.io/v1/namespaces/${namespace}/events`,
    body: {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: eventName(happening), namespace },
      eventTime: microTime(now),
      reportingController: REPORTER,
      reportingInstance: instance.slice(0, 128),
      action: 'Allocate',
      type: 'Warning',
      reason,
      note: cut(note, LONGEST_NOTE),
      regarding: {
        apiVersion: 'v1',
        kind,
        name,
        uid,
        ...(happening.namespace !== undefined && { namespace }),
      },
    },
  };
}

/** Says of an Event that it has happened `count` times; without a count it only asks for it as it is. */
export function patchEvent(happening: Happening, count: number | undefined, now: Date): ApiRequest {
  const namespace = happening.namespace ?? 'default';
  return {
    method: 'PATCH',
    path: `/apis/events.k8s.io/v1/namespaces/${namespace}/events/${eventName(happening)}`,
    contentType: 'application/merge-patch+json',
    body: count === undefined ? {} : { series: { count, lastObservedTime: microTime(now) } },
  };
}

/** How often an Event says that it has happened. */
export function countOf(event: Raw): number {
  const { series } = event;
  const count = typeof series === 'object' && series !== null && 'count' in series ? series.count : undefined;
  return typeof count === 'number' ? count : 1;
}

function eventName(happening: Happening): string {
  const id = happeningId(happening);
  const name = happening.name.slice(0, LONGEST_NAME - id.length - 1).replace(/[-.]+$/, '');
  return `${name}.${id}`;
}

/** RFC 3339 with microseconds (MicroTime). */
function microTime(now: Date): string {
  return now.toISOString().replace('Z', '000Z');
}

function cut(text: string, bytes: number): string {
  const encoded = new TextEncoder().encode(text);
  if (encoded.length <= bytes) return text;
  // What the cut leaves of a character of several bytes decodes to a replacement character.
  return `${new TextDecoder().decode(encoded.subarray(0, bytes - 5)).replace(/\uFFFD$/, '')}…`;
}
