import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..', '..');
const HELPER = join(ROOT, 'test', 'support', 'skip.ts');

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kube-northbound-skip-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Results {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** What jest reports of a file of tests. */
function report(source: string): readonly string[] {
  writeFileSync(join(folder, 'a.test.ts'), source);
  const output = join(folder, 'results.json');
  const config = JSON.stringify({
    rootDir: folder,
    transform: { '\\.ts$': join(ROOT, 'node_modules', '@swc', 'jest') },
  });
  const jest = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
  spawnSync(process.execPath, [jest, '--config', config, '--json', '--outputFile', output], { cwd: ROOT });
  const { testResults } = JSON.parse(readFileSync(output, 'utf8')) as Results;
  return testResults.flatMap(file =>
    file.assertionResults.map(({ status, fullName }) => `${status} ${fullName}`),
  );
}

describe('tests that a machine cannot run', () => {
  it('are reported as skipped, with the reason; the others run', () => {
    const results = report(`
      import { it } from '@jest/globals';
      import { describeIf, itIf } from ${JSON.stringify(HELPER)};
      const fail = () => { throw new Error('must not run'); };
      describeIf(false, 'needs root')('packets', () => { it('flow', fail); });
      describeIf(true, 'needs root')('databases', () => { it('answer', () => {}); });
      itIf(false, 'no SCTP in this kernel')('sctp', fail);
      itIf(true, 'no SCTP in this kernel')('tcp', fail);
    `);
    expect(results).toEqual([
      'pending packets (skipped: needs root)',
      'passed databases answer',
      'pending sctp (skipped: no SCTP in this kernel)',
      'failed tcp',
    ]);
  }, 30_000);
});
