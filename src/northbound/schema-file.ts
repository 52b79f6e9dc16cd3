import { readFileSync } from 'node:fs';
import { type DatabaseSchema, parseSchema, SchemaError } from '../ovsdb-client/index.ts';

/** The oldest schema that we write for: OVN 23.03. */
const OLDEST = new URL('schemas/ovn-nb-7.0.0.ovsschema', import.meta.url);

/**
 * Reads a northbound schema from an `.ovsschema` file; without a path, version 7.0.0. Throws SchemaError where the
 * file is none, and what node:fs throws where it cannot be read.
 */
export function readNorthboundSchema(path?: string): DatabaseSchema {
  const text = readFileSync(path ?? OLDEST, 'utf8');
  const schema = parseSchema(parseJson(text, path));
  if (schema.name !== 'OVN_Northbound') {
    throw new SchemaError(`${path}: the schema of ${schema.name}, not of OVN_Northbound`);
  }
  return schema;
}

function parseJson(text: string, path: string | undefined): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SchemaError(`${path}: not JSON`, { cause });
  }
}
