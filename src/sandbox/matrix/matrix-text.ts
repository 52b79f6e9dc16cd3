import type { SandboxStatus } from '../status.ts';
import { table } from '../status.ts';
import { matrixSources, type ProbeResult } from './matrix.ts';

const GREEN = '\u001b[32m';
const RED = '\u001b[31m';
const PLAIN = '\u001b[0m';
/** So many failures are listed one by one. */
const LISTED = 20;

/**
 * The results for people: a line for each source, a column for each pod, in it how many of the probes were answered.
 * Below it the failures, and a sum.
 */
export function matrixText(status: SandboxStatus, results: readonly ProbeResult[], colour: boolean): string {
  const names = status.pods.map(({ namespace, name }) => `${namespace}/${name}`);
  const cells = countCells(results);
  const rows = matrixSources(status).map(source => {
    const number = names.indexOf(source.name) + 1;
    return [
      number === 0 ? '' : String(number),
      number === 0 ? `(node ${source.name})` : source.name,
      source.node,
      ...names.map(to => cellText(cells.get(`${source.name} ${to}`))),
    ];
  });
  const lines = table([['', 'FROM \\ TO', 'NODE', ...names.map((_, index) => String(index + 1))], ...rows]);
  const failed = results.filter(({ result }) => result === 'bad');
  return [paint(lines, colour), ...failureLines(failed), `${sumText(status, results)}\n`].join('\n');
}

/** Everything answered, or only what the kernel cannot do was left out. */
export function isAllAnswered(results: readonly ProbeResult[]): boolean {
  return results.every(({ result }) => result !== 'bad');
}

interface Count {
  readonly asked: number;
  readonly answered: number;
}

function countCells(results: readonly ProbeResult[]): ReadonlyMap<string, Count> {
  const cells = new Map<string, Count>();
  for (const { from, to, result } of results) {
    if (result === 'none') continue;
    const { asked, answered } = cells.get(`${from} ${to}`) ?? { asked: 0, answered: 0 };
    cells.set(`${from} ${to}`, { asked: asked + 1, answered: answered + (result === 'ok' ? 1 : 0) });
  }
  return cells;
}

function cellText(count: Count | undefined): string {
  return count === undefined ? '-' : `${count.answered}/${count.asked}`;
}

function paint(text: string, colour: boolean): string {
  if (!colour) return text;
  return text.replace(/(?<= )(\d+)\/(\d+)(?= |$)/gm, (cell, answered, asked) => {
    return `${answered === asked ? GREEN : RED}${cell}${PLAIN}`;
  });
}

function failureLines(failed: readonly ProbeResult[]): readonly string[] {
  if (failed.length === 0) return [];
  const lines = failed.slice(0, LISTED).map(({ from, to, kind, address, port, reason }) => {
    const where =
      port === undefined ? address : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
    return `${from} -> ${to}: ${kind} ${where}: ${reason}\n`;
  });
  const more = failed.length > LISTED ? [`… and ${failed.length - LISTED} more\n`] : [];
  return [[...lines, ...more].join('')];
}

function sumText({ pods, nodes }: SandboxStatus, results: readonly ProbeResult[]): string {
  const made = results.filter(({ result }) => result !== 'none');
  const answered = made.filter(({ result }) => result === 'ok').length;
  const kinds = [...new Set(made.map(({ kind }) => (kind === 'ping' ? 'ping' : kind.toUpperCase())))].join(
    ', ',
  );
  const absent = [...new Set(results.filter(({ result }) => result === 'none').map(({ reason }) => reason))];
  const left = absent.length === 0 ? '' : ` (left out: ${absent.join(', ')})`;
  return `${pods.length} pods on ${nodes.length} nodes: ${answered} of ${made.length} probes answered by ${kinds}${left}`;
}
