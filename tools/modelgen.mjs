// Writes src/northbound/tables.gen.ts from a northbound schema: the rows' columns as types, checked at compile time.
// Usage: node tools/modelgen.mjs [SCHEMA] [OUTPUT]
import { readFileSync, writeFileSync } from 'node:fs';

const root = new URL('../src/northbound/', import.meta.url);
const [source = new URL('schemas/ovn-nb-7.0.0.ovsschema', root), target = new URL('tables.gen.ts', root)] =
  process.argv.slice(2);

const schema = JSON.parse(readFileSync(source, 'utf8'));
writeFileSync(target, generate(schema));

function generate({ name, version, tables }) {
  const lines = [
    `// Generated from ${name} ${version} by tools/modelgen.mjs. Do not edit.`,
    "import type { RowRef } from '../ovsdb-state/row.ts';",
    '',
    '/** A reference to a row of a table. */',
    'export type Ref<T extends keyof Tables> = RowRef & { readonly table: T };',
  ];
  for (const [table, { columns }] of Object.entries(tables)) {
    lines.push('', `export interface ${typeName(table)} {`);
    for (const [column, { type }] of Object.entries(columns)) {
      lines.push(`  readonly ${column}?: ${columnType(type, tables)};`);
    }
    lines.push('}');
  }
  lines.push(
    '',
    '/** The desired columns of each table; a column that is left out is empty, or not ours. */',
  );
  lines.push('export interface Tables {');
  for (const table of Object.keys(tables)) lines.push(`  readonly ${table}: ${typeName(table)};`);
  lines.push('}', '');
  return lines.join('\n');
}

function typeName(table) {
  return `${table.replaceAll('_', '')}Columns`;
}

function columnType(type, tables) {
  if (typeof type === 'string') return atomType(type, tables);
  const { key, value, min = 1, max = 1 } = type;
  const atom = atomType(key, tables);
  if (value !== undefined) return `Readonly<Record<string, ${atomType(value, tables)}>>`;
  if (max !== 1) return `readonly ${atom.includes(' | ') ? `(${atom})` : atom}[]`;
  return min === 0 ? `${atom} | readonly []` : atom;
}

function atomType(base, tables) {
  const { type, refTable, enum: choices } = typeof base === 'string' ? { type: base } : base;
  if (choices !== undefined) {
    const values = Array.isArray(choices) && choices[0] === 'set' ? choices[1] : [choices];
    return values.map(value => (typeof value === 'string' ? `'${value}'` : String(value))).join(' | ');
  }
  if (type === 'uuid') return refTable in tables ? `Ref<'${refTable}'>` : 'RowRef';
  return { integer: 'number', real: 'number', boolean: 'boolean', string: 'string' }[type];
}
