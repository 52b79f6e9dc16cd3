import { annotation, identityOf } from '../../cluster/facts/identity.ts';
import { internalIps } from '../../cluster/facts/index.ts';
import { attempt, isRaw, listOf, objectAt, type Raw } from '../../cluster/facts/raw.ts';
import type { KubeObject } from '../../cluster/manifest-object.ts';
import type { ReflectorListener, WatchedResource } from '../../cluster/watch/index.ts';
import { NODE_CHASSIS_ID } from '../../contracts/annotations.ts';
import type { Log } from '../../contracts/log.ts';
import { type Database, entryOf } from '../database.ts';
import { Listeners } from '../listeners.ts';
import type { OwnNode } from '../own-node.ts';

/** What a Node shows of what its agent publishes. */
export interface ShownNode {
  readonly uid: string;
  /** The annotation that names its chassis. */
  readonly chassisId: string | undefined;
  readonly nodeIp: string | undefined;
  /** The condition NetworkUnavailable. */
  readonly condition: ShownCondition | undefined;
}

export interface ShownCondition {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/**
 * The agent's own Node as a reflector tells it. Its chassis is the one that Open vSwitch says it is (`system-id`); only
 * where that is not set yet, the Node decides.
 */
export class KubernetesNode implements OwnNode, ReflectorListener {
  readonly name: string;
  readonly #ovs: Database;
  readonly #log: Log;
  readonly #listeners = new Listeners();
  #shown: ShownNode | undefined;
  #known = false;

  constructor(name: string, ovs: Database, log: Log) {
    this.name = name;
    this.#ovs = ovs;
    this.#log = log;
  }

  /** What the reflector has to follow. */
  static resource(name: string): WatchedResource {
    return { apiVersion: 'v1', kind: 'Node', path: '/api/v1/nodes', fieldSelector: `metadata.name=${name}` };
  }

  get known(): boolean {
    return this.#known;
  }

  get chassisId(): string {
    return this.systemId ?? this.#shown?.chassisId ?? this.name;
  }

  get nodeIp(): string | undefined {
    return this.#shown?.nodeIp;
  }

  /** What Open vSwitch has; undefined where it is not known, or has none yet. */
  get systemId(): string | undefined {
    const [row] = this.#ovs.connected ? this.#ovs.rows('Open_vSwitch') : [];
    return row && (entryOf(row, 'external_ids', 'system-id') || undefined);
  }

  /** Undefined while there is no such Node. */
  get shown(): ShownNode | undefined {
    return this.#shown;
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  put({ raw }: KubeObject): void {
    const problems: string[] = [];
    const shown: ShownNode = {
      uid: attempt(problems, () => identityOf(raw).uid, ''),
      chassisId: attempt(problems, () => annotation(raw, NODE_CHASSIS_ID), undefined),
      nodeIp: attempt(problems, () => internalIps(raw)[0], undefined),
      condition: attempt(problems, () => networkCondition(raw), undefined),
    };
    if (problems.length > 0) this.#log.warn({ node: this.name, problems }, 'the Node cannot be read in full');
    // kubelet renews its own conditions all the time.
    if (this.#known && JSON.stringify(shown) === JSON.stringify(this.#shown)) return;
    this.#shown = shown;
    this.#known = true;
    this.#listeners.tell();
  }

  deleted(): void {
    this.#log.warn({ node: this.name }, 'the API server has no such Node any more');
    this.#shown = undefined;
    this.#listeners.tell();
  }

  listed(): void {
    if (!this.#shown) this.#log.warn({ node: this.name }, 'the API server has no such Node yet');
  }
}

function networkCondition(raw: Raw): ShownCondition | undefined {
  const conditions = listOf(objectAt(raw, 'status'), 'conditions', 'status');
  const found = conditions.filter(isRaw).find(({ type }) => type === 'NetworkUnavailable');
  if (!found) return undefined;
  const { status, reason, message } = found;
  return { status: String(status ?? ''), reason: String(reason ?? ''), message: String(message ?? '') };
}
