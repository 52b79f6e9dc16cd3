import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { build } from 'esbuild';
import { CniError, type CniRequest } from '../../src/contracts/cni.ts';
import { type CniServer, type Handler, listen } from '../../src/node/cni/server.ts';

const folder = mkdtempSync(join(tmpdir(), 'knb-plugin-'));
const socket = join(folder, 'run', 'cni.sock');
const servers: CniServer[] = [];

// Each test starts programs, which takes its time on a machine that is busy.
jest.setTimeout(30_000);

const ADD = {
  CNI_COMMAND: 'ADD',
  CNI_CONTAINERID: 'abc',
  CNI_IFNAME: 'eth0',
  CNI_NETNS: '/run/netns/x',
  CNI_ARGS: 'K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web;K8S_POD_UID=u',
};

beforeAll(async () => {
  // In the folder of an ES module package, as in the built project: the plugin must not mind.
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  await build({
    entryPoints: [join(__dirname, '../../src/node/cni/plugin.ts')],
    outfile: join(folder, 'cni'),
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    banner: { js: '#!/usr/bin/env node' },
  });
  chmodSync(join(folder, 'cni'), 0o755);
});

afterEach(async () => {
  await Promise.all(servers.splice(0).map(server => server.close()));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function serve(handler: Handler): Promise<CniServer> {
  const server = await listen(socket, handler);
  servers.push(server);
  return server;
}

function start(env: Readonly<Record<string, string>>, stdin: string) {
  const child = spawn(join(folder, 'cni'), [], { env: { PATH: process.env.PATH, ...env }, stdio: 'pipe' });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  // The plugin need not read all of it.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  const ended = new Promise<{ status: number | null; stdout: string }>(resolve => {
    child.on('close', status => resolve({ status, stdout }));
  });
  return { child, ended };
}

async function plugin(env: Readonly<Record<string, string>>, config: object | string = {}) {
  const defaults = { cniVersion: '1.0.0', name: 'test', agentSocket: socket };
  const stdin = typeof config === 'string' ? config : JSON.stringify({ ...defaults, ...config });
  const { status, stdout } = await start(env, stdin).ended;
  return { status, output: stdout === '' ? null : JSON.parse(stdout) };
}

describe('the plugin', () => {
  it('is small and needs nothing beside it', () => {
    const text = readFileSync(join(folder, 'cni'), 'utf8');
    expect(text.length).toBeLessThan(8_000);
    expect(text).not.toMatch(/require\(/);
  });

  it('answers VERSION by itself', async () => {
    const supportedVersions = ['0.4.0', '1.0.0', '1.1.0'];
    const version = { CNI_COMMAND: 'VERSION' };
    expect(await plugin(version)).toEqual({ status: 0, output: { cniVersion: '1.0.0', supportedVersions } });
    expect(await plugin(version, '')).toEqual({
      status: 0,
      output: { cniVersion: '1.1.0', supportedVersions },
    });
  });

  it('hands ADD over and prints the result', async () => {
    const requests: CniRequest[] = [];
    await serve(async request => {
      requests.push(request);
      return { result: { cniVersion: '1.0.0', ips: [] } };
    });
    expect(await plugin(ADD)).toEqual({ status: 0, output: { cniVersion: '1.0.0', ips: [] } });
    expect(requests).toEqual([
      {
        command: 'ADD',
        cniVersion: '1.0.0',
        network: 'test',
        sandbox: 'abc',
        interfaceName: 'eth0',
        netns: '/run/netns/x',
        pod: { namespace: 'shop', name: 'web', uid: 'u' },
      },
    ]);
  });

  it.each<[string, object]>([
    ['DEL', {}],
    ['CHECK', { prevResult: {} }],
    ['GC', { 'cni.dev/valid-attachments': [] }],
    ['STATUS', {}],
  ])('hands %s over and prints nothing', async (command, fields) => {
    const commands: string[] = [];
    await serve(async request => {
      commands.push(request.command);
      return { result: null };
    });
    const config = { cniVersion: '1.1.0', ...fields };
    expect(await plugin({ ...ADD, CNI_COMMAND: command }, config)).toEqual({ status: 0, output: null });
    expect(commands).toEqual([command]);
  });

  it('needs no namespace for DEL', async () => {
    await serve(async () => ({ result: null }));
    expect(await plugin({ ...ADD, CNI_COMMAND: 'DEL', CNI_NETNS: '' })).toEqual({ status: 0, output: null });
  });

  it("prints the agent's error in the version that was asked", async () => {
    await serve(async () => {
      throw new CniError(11, 'not yet', 'why');
    });
    const error = { cniVersion: '0.4.0', code: 11, msg: 'not yet', details: 'why' };
    expect(await plugin(ADD, { cniVersion: '0.4.0' })).toEqual({ status: 1, output: error });
  });

  it.each([
    ['a missing variable', { ...ADD, CNI_NETNS: '' }, {}, 4, 'CNI_NETNS'],
    ['another command', { ...ADD, CNI_COMMAND: 'UPDATE' }, {}, 4, 'CNI_COMMAND'],
    ['another command and no JSON', { ...ADD, CNI_COMMAND: 'UPDATE' }, '{', 4, 'CNI_COMMAND'],
    ['no prevResult for CHECK', { ...ADD, CNI_COMMAND: 'CHECK' }, {}, 7, 'prevResult'],
    ['no list for GC', { CNI_COMMAND: 'GC' }, { cniVersion: '1.1.0' }, 7, 'cni.dev/valid-attachments'],
    ['a version without STATUS', { CNI_COMMAND: 'STATUS' }, {}, 1, 'STATUS'],
    ['no agent for STATUS', { CNI_COMMAND: 'STATUS' }, { cniVersion: '1.1.0' }, 50, 'not reachable'],
    ['no JSON', ADD, '{', 6, 'not JSON'],
    ['a configuration without end', ADD, ' '.repeat(2 << 20), 6, 'more than 1048576 characters'],
    ['a wrong field', ADD, { agentSocket: 'relative' }, 7, 'agentSocket'],
    ['an unknown version', ADD, { cniVersion: '3.0.0' }, 1, '3.0.0'],
    ['no agent', ADD, {}, 11, 'not reachable'],
  ])('fails by the specification with %s', async (_, env, config, code, message) => {
    const { status, output } = await plugin(env, config);
    expect(status).toBe(1);
    expect(output).toMatchObject({ code, msg: expect.stringContaining(message) });
    expect(['1.0.0', '1.1.0']).toContain(output.cniVersion);
  });

  it('fails with code 11 where the agent closes the connection', async () => {
    const server = createServer(connection => connection.destroy());
    mkdirSync(join(folder, 'run'), { recursive: true });
    await new Promise<void>(resolve => server.listen(socket, resolve));
    expect((await plugin(ADD)).output).toMatchObject({ code: 11 });
    await new Promise(resolve => server.close(resolve));
  });

  it('fails with code 6 where the agent answers nonsense', async () => {
    const server = createServer(connection => connection.resume().end('nonsense\n'));
    await new Promise<void>(resolve => server.listen(socket, resolve));
    expect((await plugin(ADD)).output).toMatchObject({ code: 6 });
    await new Promise(resolve => server.close(resolve));
  });

  it('cancels its request when it is killed', async () => {
    let arrived = (_: AbortSignal) => {};
    const gone = new Promise<AbortSignal>(resolve => {
      arrived = resolve;
    });
    await serve((_, signal) => {
      arrived(signal);
      return new Promise(resolve => signal.addEventListener('abort', () => resolve({ result: null })));
    });
    const { child, ended } = start(
      ADD,
      JSON.stringify({ cniVersion: '1.0.0', name: 'test', agentSocket: socket }),
    );
    const signal = await gone;
    expect(signal.aborted).toBe(false);
    child.kill('SIGKILL');
    await ended;
    await new Promise<void>(resolve => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve());
    });
    expect(signal.reason).toBeInstanceOf(CniError);
  });
});

describe("the agent's socket", () => {
  const content: Handler = async () => ({ result: null });

  it('is for root only, and goes with the server', async () => {
    rmSync(join(folder, 'run'), { recursive: true, force: true });
    const server = await serve(content);
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'run')).mode & 0o777).toBe(0o700);
    await server.close();
    expect(existsSync(socket)).toBe(false);
  });

  it('takes the place of one that nobody listens at', async () => {
    const code = `require('node:net').createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, 'SIGKILL'))`;
    await new Promise(resolve => spawn(process.execPath, ['-e', code]).on('exit', resolve));
    expect(existsSync(socket)).toBe(true);
    await serve(content);
    expect((await plugin({ ...ADD, CNI_COMMAND: 'DEL' })).status).toBe(0);
  });

  it('is not taken from another agent, nor put in the place of a file', async () => {
    await serve(content);
    await expect(listen(socket, content)).rejects.toThrow('another agent listens');
    expect((await plugin({ ...ADD, CNI_COMMAND: 'DEL' })).status).toBe(0);
    const file = join(folder, 'a-file');
    writeFileSync(file, 'precious');
    await expect(listen(file, content)).rejects.toThrow('is no socket');
    expect(readFileSync(file, 'utf8')).toBe('precious');
  });

  it('answers what is no request with code 6', async () => {
    await serve(content);
    const answer = await new Promise<string>(resolve => {
      const client = connect(socket, () => client.write('nonsense\n'));
      client.setEncoding('utf8').on('data', (text: string) => resolve(text));
    });
    expect(JSON.parse(answer)).toMatchObject({ error: { code: 6 } });
  });

  it('closes without waiting for those who ask nothing, but answers those who asked', async () => {
    let finish = () => {};
    const asked = new Promise<void>(resolve => {
      void listen(socket, () => {
        resolve();
        return new Promise(done => {
          finish = () => done({ result: null });
        });
      }).then(server => servers.push(server));
    });
    while (servers.length === 0) await new Promise(resolve => setImmediate(resolve));
    const silent = connect(socket);
    const silentClosed = new Promise(resolve => silent.on('close', resolve));
    await new Promise(resolve => silent.on('connect', resolve));
    const running = plugin({ ...ADD, CNI_COMMAND: 'DEL' });
    await asked;
    const [server] = servers.splice(0);
    const closed = server?.close();
    await silentClosed;
    finish();
    await closed;
    expect((await running).status).toBe(0);
  });
});
