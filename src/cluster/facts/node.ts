import { type Cidr, parseCidr } from '../../addresses/index.ts';
import {
  NODE_CHASSIS_ID,
  NODE_ID,
  NODE_SUBNETS,
  parseNodeId,
  parseNodeSubnets,
  type ShownNetworks,
  shownNetworks,
} from '../../contracts/annotations.ts';
import { oneOfEachFamily } from './families.ts';
import { annotation, type Identity, identityOf } from './identity.ts';
import { attempt, FieldError, isRaw, listOf, objectAt, type Raw, textOf } from './raw.ts';

/** What translation needs of a Node. */
export interface NodeFact extends Identity {
  readonly name: string;
  /** The OVN chassis on this node: the annotation, else the Node's name. */
  readonly chassis: string;
  /** Subnets given by the annotation or by `spec.podCIDRs`; undefined where the allocator has to find some. */
  readonly subnets: readonly Cidr[] | undefined;
  /** The number given by the annotation. */
  readonly id: number | undefined;
  /** What of the Node could not be read, but for its id. */
  readonly problem: string | undefined;
  readonly idProblem: string | undefined;
  /** What the annotations say that we write. */
  readonly shown: ShownOnNode;
}

export interface ShownOnNode {
  readonly subnets: ShownNetworks | undefined;
  /** The id as text. */
  readonly id: string | undefined;
}

/** Trims a Node. Never throws: what cannot be read becomes the fact's `problem`, and the rest counts all the same. */
export function nodeFact(name: string, raw: Raw): NodeFact {
  const problems: string[] = [];
  const idProblems: string[] = [];
  const read = <T>(part: () => T, otherwise: T) => attempt(problems, part, otherwise);
  const { uid, created } = read(() => identityOf(raw), { uid: '', created: '' });
  return {
    name,
    uid,
    created,
    chassis: read(() => annotation(raw, NODE_CHASSIS_ID), undefined) ?? name,
    subnets: read(() => givenSubnets(raw), undefined),
    id: attempt(idProblems, () => givenId(raw), undefined),
    problem: problems[0],
    idProblem: idProblems[0],
    shown: shownOn(raw),
  };
}

/** `status.addresses` of type InternalIP, in order. Throws FieldError where the list is malformed. */
export function internalIps(raw: Raw): readonly string[] {
  return listOf(objectAt(raw, 'status'), 'addresses', 'status').flatMap(address => {
    if (!isRaw(address) || address.type !== 'InternalIP') return [];
    return typeof address.address === 'string' ? [address.address] : [];
  });
}

function givenId(raw: Raw): number | undefined {
  const text = annotation(raw, NODE_ID);
  return text === undefined ? undefined : parseNodeId(text);
}

/** What cannot be read shows nothing: it is told as the Node's problem. */
function shownOn(raw: Raw): ShownOnNode {
  const textOn = (name: string) => attempt([], () => annotation(raw, name), undefined);
  return { subnets: shownNetworks(textOn(NODE_SUBNETS)), id: textOn(NODE_ID) };
}

function givenSubnets(raw: Raw): readonly Cidr[] | undefined {
  const given = subnetTexts(raw);
  return given && subnetsOf(given.from, given.texts);
}

function subnetTexts(raw: Raw): { from: string; texts: readonly unknown[] } | undefined {
  const annotated = annotation(raw, NODE_SUBNETS);
  const texts = annotated === undefined ? undefined : parseNodeSubnets(annotated);
  if (texts !== undefined) return { from: NODE_SUBNETS, texts };
  const spec = objectAt(raw, 'spec');
  const many = listOf(spec, 'podCIDRs', 'spec');
  if (many.length > 0) return { from: 'spec.podCIDRs', texts: many };
  const one = textOf(spec, 'podCIDR', 'spec');
  return one === undefined ? undefined : { from: 'spec.podCIDR', texts: [one] };
}

function subnetsOf(from: string, texts: readonly unknown[]): readonly Cidr[] {
  const subnets = texts.map(text => {
    const subnet = typeof text === 'string' ? parseCidr(text) : undefined;
    if (!subnet)
      throw new FieldError(`${from}: ${JSON.stringify(text)} is not a subnet such as 10.128.0.0/23`);
    return subnet;
  });
  return oneOfEachFamily(from, 'subnet', subnets);
}
