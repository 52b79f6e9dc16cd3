import { afterEach, describe, expect, it } from '@jest/globals';
import { missing } from '../support/fetch-ovn.ts';
import { runToEnd } from '../support/master-process.ts';
import { Sandbox } from '../support/sandbox.ts';
import { describeIf } from '../support/skip.ts';

const sandboxes: Sandbox[] = [];

afterEach(async () => {
  for (const sandbox of sandboxes.splice(0)) await sandbox.down();
});

function make(suffix: string): Sandbox {
  const sandbox = new Sandbox(suffix);
  sandboxes.push(sandbox);
  return sandbox;
}

/** Everything of the machine's own network that a sandbox could disturb. */
async function rootNetwork(): Promise<string> {
  const commands = [
    ['ip', 'link', 'show'],
    ['ip', 'address', 'show'],
    ['ip', 'route', 'show', 'table', 'all'],
    ['ip', '-6', 'route', 'show', 'table', 'all'],
    ['ip', 'rule', 'show'],
    ['sysctl', '-a', '--pattern', '^net\\.(ipv4\\.ip_forward|ipv[46]\\.conf\\.|bridge\\.)'],
  ];
  const outputs = await Promise.all(commands.map(([file = '', ...args]) => runToEnd(file, args)));
  return outputs.map(({ stdout }) => stdout.replace(/ (valid_lft|expires) \S+/g, '')).join('\n');
}

const versions = { trixie: 'OVN 25.03', bookworm: 'OVN 23.03', sid: 'the OVN of Debian unstable' } as const;

describe.each(['trixie', 'bookworm', 'sid'] as const)('%s', release => {
  const reason = missing(release);
  describeIf(reason === undefined, reason ?? '')(versions[release], () => {
    it('carries packets between all pods and from each node to its own', async () => {
      const sandbox = make(release.slice(0, 1));
      const { code, stderr } = await sandbox.up('--ovn-release', release);
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
      await sandbox.allReachable();
      for (const node of (await sandbox.status()).nodes) {
        const coverage = await sandbox.output('appctl', node.name, 'coverage/show');
        expect(coverage).not.toMatch(/datapath_drop_recirc_error/);
      }
    }, 180_000);
  });
});

describe('two sandboxes', () => {
  it('with the same addresses run side by side, and the machine’s own network stays as it is', async () => {
    const before = await rootNetwork();
    const [one, two] = [make('x'), make('y')];
    for (const { code, stderr } of await Promise.all([one.up(), two.up()])) {
      if (code !== 0) throw new Error(stderr);
    }
    await Promise.all([one.allReachable(), two.allReachable()]);
    expect(await rootNetwork()).toBe(before);
    expect((await one.down()).code).toBe(0);
    await two.allReachable();
    expect((await two.down()).code).toBe(0);
    expect(await rootNetwork()).toBe(before);
  }, 240_000);

  it('cannot have one name', async () => {
    const sandbox = make('n');
    expect((await sandbox.up('--ovn-only')).code).toBe(0);
    const { code, stderr } = await sandbox.up('--ovn-only');
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(sandbox.name));
  }, 60_000);
});

describe('usage', () => {
  it('refuses --nodes that contradict the Node objects with exit code 2', async () => {
    const { code, stderr } = await make('u').up('--nodes', '2');
    expect(code).toBe(2);
    expect(stderr).toMatch(/3/);
  });

  it('makes nodes where the manifests have none', async () => {
    const sandbox = make('m');
    const up = await sandbox.run('up', '--nodes', '2');
    expect({ code: up.code, stderr: up.code === 0 ? '' : up.stderr }).toEqual({ code: 0, stderr: '' });
    const { nodes } = await sandbox.status();
    expect(nodes.map(({ name }) => name)).toEqual(['ovn-chassis-1', 'ovn-chassis-2']);
  }, 120_000);
});
