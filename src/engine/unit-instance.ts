import type { MemberOutput, RowOutput } from './output.ts';
import type { Topic } from './topics.ts';
import type { UnitDefinition, UnitId } from './types.ts';

const NONE: readonly never[] = [];

/** One unit, and what its last run read and said. There are as many as there are objects in the cluster: keep it small. */
export class UnitInstance<F, C, M> implements UnitId {
  readonly definition: UnitDefinition<F, C, M>;
  readonly key: string;
  reads: readonly Topic<UnitInstance<F, C, M>>[] = NONE;
  rows: readonly RowOutput<UnitInstance<F, C, M>, C>[] = NONE;
  members: readonly MemberOutput<UnitInstance<F, C, M>, M>[] = NONE;
  /** Why it refused its object. */
  reasons: readonly string[] = NONE;

  constructor(definition: UnitDefinition<F, C, M>, key: string) {
    this.definition = definition;
    this.key = key;
  }

  get name(): string {
    return this.definition.name;
  }
}
