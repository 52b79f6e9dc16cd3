import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { scriptFile } from '../../src/sandbox/package-files.ts';
import { poll } from '../../src/sandbox/processes/poll.ts';
import { runCommand } from '../../src/sandbox/processes/run-command.ts';

let dir = '';
let responder: ChildProcess | undefined;
let tcp = 0;
let udp = 0;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'knb-script-'));
  [tcp, udp] = [await freePort(), await freePort()];
  const ports = [`tcp:${tcp}`, `udp:${udp}`, `sctp:${tcp}`];
  responder = spawn('perl', [scriptFile('pods/responder.pl'), join(dir, 'ready'), 'shop/web', ...ports], {
    stdio: 'inherit',
  });
  expect(await poll(5000, () => existsSync(join(dir, 'ready')), 5)).toBe(true);
});
afterAll(() => {
  responder?.kill();
  rmSync(dir, { recursive: true, force: true });
});

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().listen(0, '::', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error()),
      );
    });
  });
}

function datagram(host: string, family: 'udp4' | 'udp6'): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(family).on('error', reject);
    socket.on('message', message => socket.close(() => resolve(message.toString())));
    socket.send('anything', udp, host);
  });
}

describe('the responder', () => {
  it.each(['127.0.0.1', '::1'])('answers a TCP connection to %s and closes it', async host => {
    expect(await text(connect(tcp, host))).toBe('shop/web\n');
  });

  it('loses no answer to a client that speaks first', async () => {
    const answers = Array.from({ length: 30 }, () => {
      const client = connect(tcp, '127.0.0.1');
      client.write('x'.repeat(1_000_000));
      return text(client);
    });
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['shop/web\n']));
  });

  it('answers while another client keeps its connection', async () => {
    const idle = connect({ port: tcp, host: '::1', allowHalfOpen: true });
    expect(await text(idle)).toBe('shop/web\n');
    expect(await text(connect(tcp, '::1'))).toBe('shop/web\n');
    idle.destroy();
  });

  it('answers datagrams by IPv4 and IPv6', async () => {
    expect(await datagram('127.0.0.1', 'udp4')).toBe('shop/web\n');
    expect(await datagram('::1', 'udp6')).toBe('shop/web\n');
  });

  it('does not claim to be ready where a port is taken', async () => {
    const ready = join(dir, 'second');
    const second = { file: 'perl', args: [scriptFile('pods/responder.pl'), ready, 'shop/b', `tcp:${tcp}`] };
    await expect(runCommand(second)).rejects.toThrow(/tcp:\d+: bind: Address already in use/);
    expect(existsSync(ready)).toBe(false);
  });
});

describe('the probe', () => {
  const probe = async (seconds: number, ...lines: string[]) => {
    const script = { file: 'perl', args: [scriptFile('matrix/probe.pl'), String(seconds)] };
    const output = await runCommand(script, { input: lines.map((line, id) => `${id} ${line}\n`).join('') });
    return output.split('\n').filter(Boolean).sort();
  };

  it('finds what answers', async () => {
    const lines = [
      `tcp 127.0.0.1 ${tcp} shop/web`,
      `tcp ::1 ${tcp} shop/web`,
      `udp 127.0.0.1 ${udp} shop/web`,
      `udp ::1 ${udp} shop/web`,
    ];
    expect(await probe(1, ...lines)).toEqual(['0 ok', '1 ok', '2 ok', '3 ok']);
  });

  it('agrees with the responder on whether the kernel has SCTP', async () => {
    const without = readFileSync(join(dir, 'ready'), 'utf8').includes('no sctp');
    const answer = without ? '0 none no sctp in this kernel' : '0 ok';
    expect(await probe(1, `sctp 127.0.0.1 ${tcp} shop/web`)).toEqual([answer]);
  });

  it('tells a wrong answer and a closed port apart', async () => {
    const closed = await freePort();
    expect(
      await probe(0, `tcp ::1 ${tcp} shop/other`, `tcp ::1 ${closed} a/b`, `udp ::1 ${closed} a/b`),
    ).toEqual([
      '0 bad the answer is shop/web ',
      '1 bad connect: Connection refused',
      '2 bad read: Connection refused',
    ]);
  });

  it('tries again, with a new socket, until somebody answers', async () => {
    let connections = 0;
    const server = createServer(client => {
      connections += 1;
      if (connections === 1) client.destroy();
      else client.end('late\n');
    }).listen(0, '127.0.0.1');
    expect(await poll(5000, () => server.listening, 5)).toBe(true);
    const { port } = server.address() as AddressInfo;
    expect(await probe(10, `tcp 127.0.0.1 ${port} late`)).toEqual(['0 ok']);
    expect(connections).toBe(2);
    server.close();
  });
});
