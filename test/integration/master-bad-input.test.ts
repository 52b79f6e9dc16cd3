import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually, kubeNorthbound } from '../support/master-process.ts';
import { MasterSetup, pod, shop } from '../support/master-setup.ts';
import { ovn, RealServer } from '../support/ovsdb-server.ts';

let setup: MasterSetup;

beforeEach(async () => {
  setup = await MasterSetup.create();
});

afterEach(() => setup.destroy());

const once = (nb: string, ...extra: readonly string[]) =>
  kubeNorthbound(['master', '--once', '--manifests', setup.manifests.path, '--nb', nb, ...extra]);

describe('a manifest with a syntax error', () => {
  const broken = 'kind: Pod\nmetadata: {name: x]';

  it('deletes nothing while it is there; additions and changes apply', async () => {
    const { master, manifests, onlooker } = setup;
    master.start();
    await master.synced();
    await master.after(() => manifests.write('broken.yaml', broken));
    expect(master.status()?.refused[0]?.reason).toMatch(/line 2, column \d+/);
    await master.after(() =>
      manifests.write('shop.json', [...shop.slice(0, 3), pod('new', 'b', '10.200.2.20')]),
    );
    expect(onlooker.named('Logical_Switch_Port', 'shop_new')).toBeDefined();
    expect(onlooker.named('Logical_Switch_Port', 'shop_db')).toBeDefined();
    await master.after(() => manifests.remove('broken.yaml'));
    expect(onlooker.named('Logical_Switch_Port', 'shop_db')).toBeUndefined();
  });

  it('makes --once do the rest, delete nothing, name the place and exit with 1', async () => {
    const { manifests, onlooker, access } = setup;
    expect((await kubeNorthbound(['master', '--once', '--manifests', manifests.path, ...access])).code).toBe(
      0,
    );
    manifests.write('shop.json', [...shop.slice(0, 3), pod('new', 'b', '10.200.2.20')]);
    manifests.write('broken.yaml', broken);
    const { code, stderr } = await kubeNorthbound([
      'master',
      '--once',
      '--manifests',
      manifests.path,
      ...access,
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/broken\.yaml.*line 2, column \d+/);
    await eventually('the new port', () => onlooker.named('Logical_Switch_Port', 'shop_new'));
    expect(onlooker.named('Logical_Switch_Port', 'shop_db')).toBeDefined();
  });
});

describe('an object that turns bad while it runs', () => {
  it('keeps its port and address, and is refused', async () => {
    const { master, manifests, onlooker } = setup;
    master.start();
    await master.synced();
    const wanted = JSON.stringify(onlooker.rows().Logical_Switch_Port?.shop_web);
    const web = pod('web', 'a', '10.200.1.10');
    const bad = { ...web, metadata: { ...web.metadata, annotations: { 'k8s.ovn.org/pod-networks': '{' } } };
    const status = await master.after(() =>
      manifests.write('shop.json', [...shop.slice(0, 2), bad, ...shop.slice(3)]),
    );
    expect(status.refused).toEqual([{ object: 'Pod shop/web', reason: expect.stringContaining('not JSON') }]);
    expect(JSON.stringify(onlooker.rows().Logical_Switch_Port?.shop_web)).toBe(wanted);
  });
});

describe('a northbound address that leads', () => {
  let server: Server | undefined;

  afterEach(() => {
    server?.close();
    server = undefined;
  });

  /** A server that does whatever it does with each connection. */
  async function serve(answer: string | undefined): Promise<string> {
    const path = join(setup.folder, 'strange.sock');
    server = createServer(socket => {
      socket.on('error', () => undefined);
      if (answer !== undefined) socket.write(answer);
    });
    await new Promise<void>(resolve => server?.listen(path, resolve));
    return `unix:${path}`;
  }

  it('nowhere: --once waits its time, then says so', async () => {
    const { code, stderr } = await once(`unix:${setup.folder}/none.sock`, '--timeout', '1');
    expect(code).toBe(1);
    expect(stderr).toMatch(/none\.sock.*ENOENT/);
  });

  it('to another database: says which ones there are', async () => {
    const { code, stderr } = await once(`unix:${setup.southbound.endpoint.path}`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/has no database OVN_Northbound.*OVN_Southbound/);
  });

  it('to another database: the long-lived master ends with 1', async () => {
    const sb = `unix:${setup.southbound.endpoint.path}`;
    const args = ['master', '--manifests', setup.manifests.path, '--nb', sb, '--sb', sb];
    expect(await kubeNorthbound(args)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/OVN_Northbound/),
    });
    const nb = `unix:${setup.northbound.endpoint.path}`;
    const swapped = ['master', '--manifests', setup.manifests.path, '--nb', nb, '--sb', nb];
    expect(await kubeNorthbound(swapped)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/OVN_Southbound/),
    });
  });

  it('to a schema without a needed column: names the column', async () => {
    const root = await ovn('trixie');
    const schema = JSON.parse(readFileSync(root.schemaPath('ovn-nb'), 'utf8'));
    delete schema.tables.Logical_Switch.columns.other_config;
    const file = join(setup.folder, 'old.ovsschema');
    writeFileSync(file, JSON.stringify(schema));
    const old = new RealServer({ root, folder: setup.folder, name: 'old' });
    old.run('ovsdb-tool', ['create', join(setup.folder, 'old.db'), file]);
    old.start();
    try {
      const { code, stderr } = await once(`unix:${old.endpoint.path}`);
      expect(code).toBe(1);
      expect(stderr).toMatch(/lacks column Logical_Switch\.other_config/);
    } finally {
      old.stop();
    }
    const translated = await kubeNorthbound(['translate', '-f', setup.manifests.path, '--schema', file]);
    expect(translated).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/Logical_Switch\.other_config/),
    });
  });

  it('to something that answers nonsense', async () => {
    const { code, stderr } = await once(await serve('220 mail.example.org ESMTP\r\n'), '--timeout', '1');
    expect(code).toBe(1);
    expect(stderr).toMatch(/strange\.sock/);
  });

  it('to something that never answers', async () => {
    const { code, stderr } = await once(await serve(undefined), '--timeout', '1');
    expect(code).toBe(1);
    expect(stderr).toMatch(/strange\.sock/);
  });
});

describe('usage', () => {
  it.each([
    [['master', '--nb', 'unix:x', '--sb', 'unix:x'], /give one of --manifests/],
    [['master', '--manifests', '.', '--nb', 'http://x'], /--nb: .*unix:PATH/],
    [['master', '--manifests', '.', '--nb', 'ssl:1.2.3.4:6641'], /--private-key/],
    [['master', '--manifests', '.', '--colour'], /unknown option/],
    [
      ['master', '--kubeconfig', 'x', '--lease-duration', '10'],
      /renew deadline \(10 s\) must be at most nine tenths of the lease \(10 s\)/,
    ],
    [['master', '--kubeconfig', 'x', '--first-prune-limit', '120'], /--first-prune-limit.*from 0 to 100/],
    [['master', '--kubeconfig', 'x', '--in-cluster'], /give one of --manifests/],
    [['translate'], /--file/],
    [['translate', '-f', '.', '--format', 'xml'], /Allowed choices/],
    [['frobnicate'], /^kube-northbound: unknown command/],
    [
      ['master', '--manifests', '.', '--status-file', 'status.json', '--nb', 'unix:x', '--sb', 'unix:x'],
      /--status-file status.json lies in --manifests \./,
    ],
  ])('%p is refused with exit code 2', async (args, message) => {
    const { code, stderr, stdout } = await kubeNorthbound(args);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
    expect(stdout).toBe('');
  });

  it('names a kubeconfig that cannot be read', async () => {
    const { code, stderr } = await kubeNorthbound([
      'master',
      '--kubeconfig',
      'x',
      '--nb',
      'unix:x',
      '--sb',
      'unix:x',
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/cannot read the kubeconfig x/);
  });

  it('has help with an example for every command', async () => {
    for (const command of [[], ['translate'], ['master'], ['node'], ['sandbox']]) {
      const { code, stdout } = await kubeNorthbound([...command, '--help']);
      expect(code).toBe(0);
      expect(stdout).toMatch(/Example/);
    }
  });
});
