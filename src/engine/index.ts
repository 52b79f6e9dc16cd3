/** An incremental engine: facts in, rows and set members out. Knows neither Kubernetes nor OVN. */
export { Engine } from './engine.ts';
export { FactStore } from './fact-store.ts';
export type {
  Emit,
  Explanation,
  FactRead,
  MemberChange,
  OutputDelta,
  OutputRow,
  Read,
  Refusal,
  Source,
  UnitDefinition,
  UnitId,
} from './types.ts';
export { formatUnit } from './unit-id.ts';
