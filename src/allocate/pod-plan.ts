import { type Cidr, compareIps, formatIp, type Ip } from '../addresses/index.ts';
import { POD_NETWORKS } from '../contracts/annotations.ts';
import type { Problem } from '../contracts/refusals.ts';
import { requestError, sameIps } from './pod-request.ts';
import type { PodClaim, PodHolding } from './types.ts';

/** What a pod is to have. Without a request and without an error it is given what it then still lacks. */
export interface PodPlan {
  readonly wants: PodHolding | undefined;
  readonly error?: Problem;
}

/** Plans for a pod, given what it has and the subnets of its node; undefined where there is no such node. */
export function planOf(
  claim: PodClaim,
  held: PodHolding | undefined,
  subnets: readonly Cidr[] | undefined,
): PodPlan {
  const { node, problem } = claim;
  if (!subnets)
    return { wants: undefined, error: { kind: 'NodeUnknown', text: `node ${node} does not exist` } };
  if (subnets.length === 0) {
    return { wants: undefined, error: { kind: 'NodeWithoutSubnet', text: `node ${node} has no subnet` } };
  }
  if (problem !== undefined) return { wants: held, error: problem };
  const running = runningHolding(claim, held);
  const wants = running ?? requestedHolding(claim);
  if (!wants) return { wants: held && { ...held, mac: undefined } };
  const error = requestError(subnets, wants);
  if (error !== undefined) return { wants: held, error };
  const moved = running && differsFrom(claim, running);
  return moved ? { wants, error: moved } : { wants };
}

/** Whether the pod leaves it to the allocator to find addresses. */
export function leavesItToUs(claim: PodClaim): boolean {
  return !requestedHolding(claim) && !claim.running?.length;
}

/** What the pod requests. */
export function requestedHolding({ node, requested }: PodClaim): PodHolding | undefined {
  if (!requested || requested.ips.length === 0) return undefined;
  return { node, ips: [...requested.ips].sort(compareIps), mac: requested.mac };
}

/**
 * What the pod runs with: all that it requests where that has its running addresses in it. They tell no MAC: it is that
 * of the request or of `known`, whichever has the same addresses.
 */
export function runningHolding(claim: PodClaim, known: PodHolding | undefined): PodHolding | undefined {
  const { node, running } = claim;
  if (!running || running.length === 0) return undefined;
  const requested = requestedHolding(claim);
  if (requested && running.every(ip => includesIp(requested.ips, ip))) return requested;
  const ips = [...running].sort(compareIps);
  return { node, ips, mac: known && sameIps(known.ips, ips) ? known.mac : undefined };
}

/** What the pod requests, where `recorded` has the same addresses. */
export function confirmedHolding(claim: PodClaim, recorded: PodHolding | undefined): PodHolding | undefined {
  const requested = requestedHolding(claim);
  const isRecorded = recorded && requested?.node === recorded.node && sameIps(requested.ips, recorded.ips);
  return isRecorded ? requested : undefined;
}

function differsFrom(claim: PodClaim, running: PodHolding): Problem | undefined {
  const requested = requestedHolding(claim);
  if (!requested || running.ips.every(ip => includesIp(requested.ips, ip))) return undefined;
  const [has, asks] = [running, requested].map(({ ips }) => ips.map(formatIp).join(' and '));
  const text = `${POD_NETWORKS} names ${asks}, but the pod runs with ${has} and keeps it; delete the pod to give it another address`;
  return { kind: 'AddressUnusable', text };
}

function includesIp(ips: readonly Ip[], ip: Ip): boolean {
  return ips.some(one => compareIps(one, ip) === 0);
}
