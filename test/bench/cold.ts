import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Databases } from './databases.ts';
import { median, rounded } from './statistics.ts';

export interface ColdResult {
  readonly pods: number;
  readonly nodes: number;
  readonly rows: number;
  readonly transactions: number;
  readonly bytes: number;
  /** Medians; `ratio` is theirs. */
  readonly ours_ms: number;
  readonly raw_ms: number;
  readonly ratio: number;
  readonly ours_min_ms: number;
  readonly raw_min_ms: number;
  readonly rounds: readonly { readonly ours_ms: number; readonly raw_ms: number }[];
}

export interface ColdOptions {
  readonly pods: number;
  readonly nodes: number;
  readonly rounds: number;
}

/** A cold sync beside a replay of its transactions: each in a new process, into a new database, by turns. */
export async function measureCold(databases: Databases, options: ColdOptions): Promise<ColdResult> {
  const { pods, nodes } = options;
  const file = join(databases.folder, 'transactions');
  const sync = [`${pods}`, `${nodes}`];
  const { rows = 0 } = await measure(databases, 'cold-sync', [...sync, file]);
  const rounds: { ours: number; raw: number }[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const raw = await measure(databases, 'raw-replay', [file]);
    const ours = await measure(databases, 'cold-sync', sync);
    rounds.push({ ours: ours.ms, raw: raw.ms });
  }
  const ours = rounds.map(round => round.ours);
  const raw = rounds.map(round => round.raw);
  const transcript = readFileSync(file, 'utf8');
  return {
    pods,
    nodes,
    rows,
    transactions: transcript.split('\n').length,
    bytes: transcript.length,
    ours_ms: rounded(median(ours)),
    raw_ms: rounded(median(raw)),
    ratio: rounded(median(ours) / median(raw), 2),
    ours_min_ms: rounded(Math.min(...ours)),
    raw_min_ms: rounded(Math.min(...raw)),
    rounds: rounds.map(round => ({ ours_ms: rounded(round.ours), raw_ms: rounded(round.raw) })),
  };
}

interface Report {
  readonly ms: number;
  readonly rows?: number;
}

async function measure(databases: Databases, program: string, args: readonly string[]): Promise<Report> {
  const server = databases.start();
  try {
    return await runProgram(program, [server.endpoint.path, ...args]);
  } finally {
    databases.stop(server);
  }
}

/** Runs one of the programs beside this one; what it reports is its result. */
function runProgram(program: string, args: readonly string[]): Promise<Report> {
  return new Promise((resolve, reject) => {
    let report: Report | undefined;
    const child = fork(fileURLToPath(new URL(`${program}.mjs`, import.meta.url)), args);
    child.on('message', message => {
      report = message as Report;
    });
    child.on('error', reject);
    child.on('exit', code => {
      if (code === 0 && report) resolve(report);
      else reject(new Error(`${program} ended with ${code} before it was done`));
    });
  });
}
