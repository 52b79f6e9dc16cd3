import { readFileSync } from 'node:fs';
import { type DatabaseSchema, parseSchema, SchemaError } from '../ovsdb-client/index.ts';

/** The oldest schema that we write for: OVN 23.03. */
const OLDEST = new URL('schemas/ovn-nb-7.0.0.ovsschema', import.meta.url);

/**
 * Reads a northbound schema from an `.ovsschema` file; without a path, version 7.0.0. Throws SchemaError where the
 * file cannot be read or is none.
 */
export function readNorthboundSchema(path?: string): DatabaseSchema {
  const schema = parseSchema(parseJson(readText(path ?? OLDEST), path));
  if (schema.name !== 'OVN_Northbound') {
    throw new SchemaError(`${path}: the schema of ${schema.name}, not of OVN_Northbound`);
  }
  return schema;
}

function readText(path: string | URL): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SchemaError(`the schema ${path} cannot be read: ${reason}`, { cause });
  }
}

function parseJson(text: string, path: string | undefined): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SchemaError(`${path}: not JSON`, { cause });
  }
}
