import { type Cidr, parseCidr } from '../../addresses/index.ts';
import { NODE_CHASSIS_ID, NODE_SUBNETS, parseNodeSubnets } from '../../contracts/annotations.ts';
import { oneOfEachFamily } from './families.ts';
import { annotation, type Identity, identityOf } from './identity.ts';
import { FieldError, isRaw, listOf, messageOf, objectAt, type Raw, textOf } from './raw.ts';

/** What translation needs of a Node. */
export interface NodeFact extends Identity {
  readonly name: string;
  /** The OVN chassis on this node: the annotation, else the Node's name. */
  readonly chassis: string;
  /** Subnets given by the annotation or by `spec.podCIDRs`; undefined where the allocator has to find some. */
  readonly subnets: readonly Cidr[] | undefined;
  /** Why the given subnets could not be read. */
  readonly problem: string | undefined;
}

/** Trims a Node. Never throws: what cannot be read becomes the fact's `problem`. */
export function nodeFact(name: string, raw: Raw): NodeFact {
  const fact = { name, uid: '', created: '', chassis: name, subnets: undefined, problem: undefined };
  try {
    const identity = { ...identityOf(raw), chassis: annotation(raw, NODE_CHASSIS_ID) ?? name };
    return { ...fact, ...identity, ...givenSubnets(raw) };
  } catch (error) {
    return { ...fact, problem: messageOf(error) };
  }
}

/** `status.addresses` of type InternalIP, in order. Throws FieldError where the list is malformed. */
export function internalIps(raw: Raw): readonly string[] {
  return listOf(objectAt(raw, 'status'), 'addresses', 'status').flatMap(address => {
    if (!isRaw(address) || address.type !== 'InternalIP') return [];
    return typeof address.address === 'string' ? [address.address] : [];
  });
}

function givenSubnets(raw: Raw): Pick<NodeFact, 'subnets' | 'problem'> {
  try {
    const given = subnetTexts(raw);
    return { subnets: given && subnetsOf(given.from, given.texts), problem: undefined };
  } catch (error) {
    return { subnets: undefined, problem: messageOf(error) };
  }
}

function subnetTexts(raw: Raw): { from: string; texts: readonly unknown[] } | undefined {
  const annotated = annotation(raw, NODE_SUBNETS);
  if (annotated !== undefined) return { from: NODE_SUBNETS, texts: parseNodeSubnets(annotated) };
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
