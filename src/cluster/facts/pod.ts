import { compareIps, type Ip, parseInterfaceCidr, parseIp, parseMac } from '../../addresses/index.ts';
import {
  POD_NETWORKS,
  parsePodNetworks,
  type ShownNetworks,
  shownNetworks,
} from '../../contracts/annotations.ts';
import { oneOfEachFamily } from './families.ts';
import { annotation, derivedUid, type Identity, identityOf } from './identity.ts';
import { attempt, FieldError, flagOf, isRaw, listOf, objectAt, type Raw, textOf } from './raw.ts';

/** Addresses that a Pod itself claims. */
export interface ClaimedAddresses {
  /** At most one of each family, IPv4 first. */
  readonly ips: readonly Ip[];
  readonly mac?: string;
}

/** What translation needs of a Pod. */
export interface PodFact extends Identity {
  readonly namespace: string;
  readonly name: string;
  /** Tells the Pod from a successor of the same name: its uid, or one derived from namespace and name. */
  readonly instance: string;
  /** `spec.nodeName`; undefined while the Pod is not scheduled. */
  readonly node: string | undefined;
  readonly hostNetwork: boolean;
  /** Succeeded or Failed: its containers never run again, its addresses are free. */
  readonly finished: boolean;
  /** From the annotation or `status.podIPs`; undefined where the allocator has to find some. */
  readonly claimed: ClaimedAddresses | undefined;
  /** `status.podIPs`: what its containers run with, IPv4 first; undefined before they do. */
  readonly running: readonly Ip[] | undefined;
  /** What the annotation says that we write. */
  readonly shown: ShownNetworks | undefined;
  /** What of the Pod could not be read. */
  readonly problem: string | undefined;
}

/**
 * Trims a Pod. Never throws: what cannot be read becomes the fact's `problem`, and the rest counts all the same, so that
 * a running Pod that turns bad is still known by its node and keeps what it has.
 */
export function podFact(namespace: string, name: string, raw: Raw): PodFact {
  const problems: string[] = [];
  const read = <T>(part: () => T, otherwise: T) => attempt(problems, part, otherwise);
  const { uid, created } = read(() => identityOf(raw), { uid: '', created: '' });
  const phase = read(() => textOf(objectAt(raw, 'status'), 'phase', 'status'), undefined);
  const node = read(() => textOf(objectAt(raw, 'spec'), 'nodeName', 'spec'), undefined);
  const hostNetwork = read(() => flagOf(objectAt(raw, 'spec'), 'hostNetwork', 'spec'), false);
  const shown = shownNetworks(attempt([], () => annotation(raw, POD_NETWORKS), undefined));
  return {
    namespace,
    name,
    uid,
    created,
    instance: uid === '' ? derivedUid(`${namespace}/${name}`) : uid,
    node,
    hostNetwork,
    finished: phase === 'Succeeded' || phase === 'Failed',
    ...addressesOf(raw, problems),
    shown,
    problem: problems[0],
  };
}

/** Whether the Pod has, or once it is scheduled will have, a port of its own on the cluster network. */
export function wantsPort(pod: PodFact): boolean {
  return !pod.hostNetwork && !pod.finished;
}

/** What the Pod claims and what it runs with. A status that cannot be read is a problem only where it is the claim. */
function addressesOf(raw: Raw, problems: string[]): Pick<PodFact, 'claimed' | 'running'> {
  const [ofAnnotation, ofStatus]: [string[], string[]] = [[], []];
  const annotated = attempt(ofAnnotation, () => annotatedAddresses(raw), undefined);
  const running = attempt(ofStatus, () => statusAddresses(raw), undefined);
  // One list for two fields: there are as many as there are pods.
  if (annotated) return { claimed: annotated, running: shared(running, annotated.ips) };
  problems.push(...ofAnnotation, ...ofStatus);
  return { claimed: running && ofAnnotation.length === 0 ? { ips: running } : undefined, running };
}

function shared(ips: readonly Ip[] | undefined, known: readonly Ip[]): readonly Ip[] | undefined {
  const isKnown = ips?.length === known.length && ips.every((ip, i) => compareIps(ip, known[i] ?? ip) === 0);
  return isKnown ? known : ips;
}

function annotatedAddresses(raw: Raw): ClaimedAddresses | undefined {
  const text = annotation(raw, POD_NETWORKS);
  if (text === undefined) return undefined;
  const network = parsePodNetworks(text);
  if (network === undefined) return undefined;
  const ips = oneOfEachFamily(
    POD_NETWORKS,
    'address',
    network.addresses.map(address => {
      const ip = parseInterfaceCidr(address)?.ip ?? parseIp(address);
      if (!ip) throw new FieldError(`${POD_NETWORKS}: "${address}" is not an address such as 10.128.0.5/23`);
      return ip;
    }),
  );
  if (network.mac === undefined) return { ips };
  const mac = parseMac(network.mac);
  if (mac === undefined) {
    throw new FieldError(`${POD_NETWORKS}: "${network.mac}" is not a unicast MAC such as 0a:58:0a:80:00:05`);
  }
  return { ips, mac };
}

function statusAddresses(raw: Raw): readonly Ip[] | undefined {
  const status = objectAt(raw, 'status');
  const listed = listOf(status, 'podIPs', 'status').map(entry => (isRaw(entry) ? entry.ip : entry));
  const texts = listed.length > 0 ? listed : [textOf(status, 'podIP', 'status') ?? []].flat();
  if (texts.length === 0) return undefined;
  const ips = texts.map(text => {
    const ip = typeof text === 'string' ? parseIp(text) : undefined;
    if (!ip) throw new FieldError(`status.podIPs: ${JSON.stringify(text)} is not an IP address`);
    return ip;
  });
  return oneOfEachFamily('status.podIPs', 'address', ips);
}
