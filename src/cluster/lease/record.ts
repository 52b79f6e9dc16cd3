import { isRaw, type Raw } from '../facts/raw.ts';

/** What a Lease says (coordination.k8s.io/v1). */
export interface LeaseRecord {
  /** Who leads; empty where nobody does. */
  readonly holder: string;
  /** How long the holder may be silent, in ms; undefined where the Lease does not say. */
  readonly duration: number | undefined;
  /** `leaseTransitions`: one more for each take-over. */
  readonly term: number;
  /** Changes with every write, and serves for nothing else. */
  readonly resourceVersion: string;
  /** The whole object, to be written back with what others keep in it. */
  readonly raw: Raw;
}

/** Reads a Lease. A field that is no such thing counts as absent: the next writer puts it right. */
export function leaseRecord(raw: Raw): LeaseRecord {
  const { holderIdentity, leaseDurationSeconds: seconds, leaseTransitions: term } = part(raw, 'spec');
  const { resourceVersion } = part(raw, 'metadata');
  return {
    holder: typeof holderIdentity === 'string' ? holderIdentity : '',
    duration: isCount(seconds) && seconds > 0 ? seconds * 1000 : undefined,
    term: isCount(term) ? term : 0,
    resourceVersion: typeof resourceVersion === 'string' ? resourceVersion : '',
    raw,
  };
}

/** What a Lease is to say. Times are for people: nobody ever compares them with a clock. */
export interface LeaseSpec {
  readonly holder: string;
  readonly duration: number;
  readonly term: number;
  readonly renewed: Date;
  /** When the holder began; undefined: as it was. */
  readonly acquired?: Date;
}

/** A new Lease. */
export function newLease(namespace: string, name: string, spec: LeaseSpec): Raw {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { namespace, name },
    spec: specOf(spec),
  };
}

/** The same Lease, at the version that was read, with another spec. */
export function changedLease({ raw }: LeaseRecord, spec: LeaseSpec): Raw {
  return { ...raw, spec: { ...part(raw, 'spec'), ...specOf(spec) } };
}

function specOf({ holder, duration, term, renewed, acquired }: LeaseSpec): Raw {
  return {
    holderIdentity: holder,
    leaseDurationSeconds: Math.ceil(duration / 1000),
    leaseTransitions: term,
    renewTime: microTime(renewed),
    ...(acquired === undefined ? {} : { acquireTime: microTime(acquired) }),
  };
}

/** Kubernetes' MicroTime: RFC 3339 with six digits. */
function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}

function part(raw: Raw, field: string): Raw {
  const value = raw[field];
  return isRaw(value) ? value : {};
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
