import { rounded } from '../statistics.ts';
import { type Times, waits } from './arrivals.ts';
import { type Spread, spread } from './spread.ts';

/** Names with the machine's time, in ms. */
type Entries = readonly (readonly [name: string, at: number])[];

export interface CreateReport {
  readonly sent: Entries;
  readonly answered: Entries;
}

export interface PodsReport {
  /** When a watch has told of the pod. */
  readonly seen: Entries;
  /** When it has told of its addresses. */
  readonly addressed: Entries;
  /** How often the API server has ended the watch, and it went on. */
  readonly cuts: number;
}

export interface PortsReport {
  readonly shown: Entries;
}

/** Pods that were created as fast as the API server took them. Times in ms. */
export interface Burst {
  /** From the first request to the last answer. */
  readonly seconds: number;
  readonly pods_per_second: number;
  /** From a request to its answer. */
  readonly create_ms: Spread;
  /** From the answer to the event of a watch. */
  readonly event_ms: Spread;
  /** How often the API server has ended that watch, as it does where events are not taken soon enough. */
  readonly watch_cuts: number;
  readonly processor_ms_per_pod: ProcessorTimes;
}

/** By process, in ms. */
export type ProcessorTimes = Readonly<Record<'api_server' | 'etcd' | 'northbound' | 'master', number>>;

/** What a master has made of them. */
export interface Programmed {
  /** From the API server's answer until the northbound shows the port. */
  readonly port_ms: Spread;
  /** From the event of a watch until then. */
  readonly port_after_event_ms: Spread;
  /** From the first pod's request until the northbound shows the last port. */
  readonly ports_seconds: number;
  readonly ports_per_second: number;
  /** From the API server's answer until a watch tells of the pod's addresses. */
  readonly addresses_ms: Spread;
  /** From the first pod's request until a watch tells of the last pod's addresses. */
  readonly addresses_seconds: number;
}

/** `used`: processor time from before the first request until all was over. */
export function burstOf(
  { sent, answered }: CreateReport,
  { seen, cuts }: PodsReport,
  used: ProcessorTimes,
): Burst {
  const perPod = (ms: number) => rounded(ms / sent.length, 2);
  const seconds = secondsBetween(sent, answered);
  return {
    seconds,
    pods_per_second: Math.round(sent.length / seconds),
    create_ms: spread(waits(timesOf(sent), timesOf(answered))),
    event_ms: spread(waits(timesOf(answered), timesOf(seen))),
    watch_cuts: cuts,
    processor_ms_per_pod: {
      api_server: perPod(used.api_server),
      etcd: perPod(used.etcd),
      northbound: perPod(used.northbound),
      master: perPod(used.master),
    },
  };
}

export function programmedOf(
  { sent, answered }: CreateReport,
  { seen, addressed }: PodsReport,
  { shown }: PortsReport,
): Programmed {
  const ports_seconds = secondsBetween(sent, shown);
  return {
    port_ms: spread(waits(timesOf(answered), timesOf(shown))),
    port_after_event_ms: spread(waits(timesOf(seen), timesOf(shown))),
    ports_seconds,
    ports_per_second: Math.round(shown.length / ports_seconds),
    addresses_ms: spread(waits(timesOf(answered), timesOf(addressed))),
    addresses_seconds: secondsBetween(sent, addressed),
  };
}

const timesOf = (entries: Entries): Times => new Map(entries);

/** From the first of the ones to the last of the others. */
function secondsBetween(from: Entries, to: Entries): number {
  const first = from.reduce((least, [, at]) => Math.min(least, at), Number.POSITIVE_INFINITY);
  const last = to.reduce((most, [, at]) => Math.max(most, at), Number.NEGATIVE_INFINITY);
  return Math.round(last - first) / 1000;
}
