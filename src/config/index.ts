import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { fieldName, type Networks, readNetworks } from './network.ts';
import { configFields, configSchema } from './schema.ts';

export type { ClusterSubnet } from './network.ts';

/** The configuration, checked and with defaults filled in. See docs/configuration.md. */
export interface Config extends Networks {
  /** Tells installations in one database apart. */
  readonly installation: string;
  /** The MTU of pods' interfaces, in bytes. */
  readonly mtu: number;
}

/** The configuration cannot be used. The message has one line per problem: file, field, what to write. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Reads the configuration file (YAML); the defaults where there is none. Throws {@link ConfigError}. */
export function loadConfig(path: string | undefined): Config {
  if (path === undefined) return parseConfig('', 'defaults');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(`${path}: cannot be read: ${reason}`, { cause });
  }
  return parseConfig(text, path);
}

/** Like {@link loadConfig}, of a text; `file` is its name in messages. */
export function parseConfig(text: string, file: string): Config {
  const result = configSchema.safeParse(readYaml(text, file) ?? {});
  if (!result.success) throw errorOf(file, result.error.issues.flatMap(problemsOf));
  const problems: string[] = [];
  const networks = readNetworks(result.data, (path, problem) =>
    problems.push(`${fieldName(path)}: ${problem}`),
  );
  if (problems.length > 0) throw errorOf(file, problems);
  return { installation: result.data.installation, mtu: result.data.mtu, ...networks };
}

function readYaml(text: string, file: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'silent' });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw new ConfigError(`${file}: line ${line}, column ${col}: ${error.message}`);
  }
  try {
    return document.toJS();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(`${file}: ${reason}`, { cause });
  }
}

function problemsOf(issue: z.core.$ZodIssue): readonly string[] {
  if (issue.code !== 'unrecognized_keys') {
    const path = fieldName(issue.path);
    return [path === '' ? issue.message : `${path}: ${issue.message}`];
  }
  const known = `known fields: ${configFields().join(', ')}`;
  return issue.keys.map(key => `${fieldName([...issue.path, key])}: unknown field: remove it (${known})`);
}

function errorOf(file: string, problems: readonly string[]): ConfigError {
  return new ConfigError(problems.map(problem => `${file}: ${problem}`).join('\n'));
}
