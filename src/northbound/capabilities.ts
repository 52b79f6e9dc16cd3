import { type DatabaseSchema, SchemaError } from '../ovsdb-client/index.ts';
import { ownedTables } from './ownership.ts';

/** What a northbound can do. Its schema is asked, never its version: distributions backport. */
export interface Capabilities {
  /** ACLs are evaluated in tiers, and can `pass` to the next one. */
  readonly aclTiers: boolean;
  /** NAT rules can be limited to packets that match. */
  readonly natMatch: boolean;
  /** Load balancers can have template variables in them. */
  readonly chassisTemplates: boolean;
}

export function capabilitiesOf(schema: DatabaseSchema): Capabilities {
  return {
    aclTiers: schema.hasColumn('ACL', 'tier'),
    natMatch: schema.hasColumn('NAT', 'match'),
    chassisTemplates: schema.hasTable('Chassis_Template_Var'),
  };
}

/**
 * Throws SchemaError with everything that a schema lacks of the tables and columns (by table) that are needed.
 * Extra columns are no harm.
 */
export function requireColumns(
  schema: DatabaseSchema,
  needed: Readonly<Record<string, readonly string[]>>,
): void {
  const missing: string[] = [];
  for (const [table, columns] of Object.entries(needed)) {
    if (!schema.hasTable(table)) missing.push(`table ${table}`);
    else
      for (const column of columns)
        if (!schema.hasColumn(table, column)) missing.push(`column ${table}.${column}`);
  }
  if (missing.length === 0) return;
  throw new SchemaError(
    `the schema ${schema.version} of ${schema.name} lacks ${missing.join(', ')}; a newer OVN has it`,
  );
}

/** Columns of those we list that only newer schemas have, and that we do without. */
const optional: ReadonlySet<string> = new Set(['Logical_Router_Port.status']);

/** Throws SchemaError where a northbound lacks what we cannot do without. */
export function requireNorthbound(schema: DatabaseSchema): void {
  requireColumns(
    schema,
    Object.fromEntries(
      Object.entries(ownedTables).map(([table, { columns }]) => [
        table,
        [...Object.keys(columns), 'external_ids'].filter(column => !optional.has(`${table}.${column}`)),
      ]),
    ),
  );
}
