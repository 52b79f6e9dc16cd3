import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { packageFile } from '../../src/sandbox/package-files.ts';
import { Sandbox } from '../support/sandbox.ts';
import { describeIf } from '../support/skip.ts';

/** Debian unstable moves: where its OVN cannot be fetched, or does not start as it is, the test says so and is skipped. */
const unstable = spawnSync(
  process.execPath,
  [packageFile('bin/kube-northbound'), 'sandbox', 'fetch', '--ovn-release', 'sid'],
  { encoding: 'utf8' },
);

function carriesPackets(release: string, suffix: string): void {
  it('carries packets between all pods', async () => {
    const sandbox = new Sandbox(suffix);
    try {
      const { code, stderr } = await sandbox.up('--ovn-release', release);
      if (code !== 0) throw new Error(stderr);
      expect(await sandbox.output('matrix')).toMatch(/(\d+) of \1 probes answered/);
    } finally {
      await sandbox.down();
    }
  });
}

describe('OVN 23.03 of Debian 12', () => carriesPackets('bookworm', 'b'));

describeIf(unstable.status === 0, unstable.stderr.trim().split('\n').at(-1) ?? '')(
  'OVN of Debian unstable',
  () => carriesPackets('sid', 'u'),
);
