import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type HealthServer, type HealthSources, serveHealth } from '../../src/observe/health.ts';
import { formatListenAddress, parseListenAddress } from '../../src/observe/listen-address.ts';

const WELL: HealthSources = {
  dead: () => [],
  unready: () => [],
  metrics: { contentType: 'text/plain; version=0.0.4', text: async () => 'a 1\n' },
};

const servers: HealthServer[] = [];

async function serve(sources: Partial<HealthSources> = {}, host = '127.0.0.1'): Promise<string> {
  const server = await serveHealth({ host, port: 0 }, { ...WELL, ...sources });
  servers.push(server);
  return `http://${formatListenAddress(server.address)}`;
}

afterEach(() => Promise.all(servers.splice(0).map(server => server.close())));

async function get(url: string, method = 'GET'): Promise<string> {
  const response = await fetch(url, { method });
  return `${response.status} ${await response.text()}`;
}

describe('the health server', () => {
  it('says ok where all is well', async () => {
    const url = await serve();
    expect(await get(`${url}/healthz`)).toBe('200 ok\n');
    expect(await get(`${url}/readyz?verbose`)).toBe('200 ok\n');
  });

  it('says why not, each reason on its line', async () => {
    const url = await serve({ unready: () => ['no pods yet', 'no database'], dead: () => ['stuck'] });
    expect(await get(`${url}/readyz`)).toBe('503 no pods yet\nno database\n');
    expect(await get(`${url}/healthz`)).toBe('503 stuck\n');
  });

  it('gives the metrics with their type', async () => {
    const url = await serve();
    const response = await fetch(`${url}/metrics`);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4');
    expect(await response.text()).toBe('a 1\n');
  });

  it('answers nothing else', async () => {
    const url = await serve();
    expect(await get(`${url}/`)).toMatch(/^404 /);
    expect(await get(`${url}/healthz`, 'POST')).toBe('405 ');
    expect(await get(`${url}/healthz`, 'HEAD')).toBe('200 ');
  });

  it('survives metrics that cannot be had', async () => {
    const broken = { ...WELL.metrics, text: () => Promise.reject(new Error('a mistake')) };
    const url = await serve({ metrics: broken });
    expect(await get(`${url}/metrics`)).toBe('500 a mistake\n');
    expect(await get(`${url}/healthz`)).toBe('200 ok\n');
  });

  it('listens at IPv6 addresses', async () => {
    const url = await serve({}, '::1');
    expect(url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect(await get(`${url}/healthz`)).toBe('200 ok\n');
  });

  it('names the address that is taken', async () => {
    const url = await serve();
    const address = { host: '127.0.0.1', port: Number(new URL(url).port) };
    await expect(serveHealth(address, WELL)).rejects.toThrow(
      `cannot listen at 127.0.0.1:${address.port}: another program listens there`,
    );
    await expect(serveHealth({ host: '192.0.2.1', port: 0 }, WELL)).rejects.toThrow(
      'cannot listen at 192.0.2.1:0: this machine has no such address',
    );
  });

  it('closes although a connection stays open, and frees the port', async () => {
    const server = await serveHealth({ host: '127.0.0.1', port: 0 }, WELL);
    const socket = connect(server.address.port, '127.0.0.1');
    await new Promise(resolve => socket.once('connect', resolve));
    socket.on('error', () => undefined);
    const closed = new Promise(resolve => socket.once('close', resolve));
    await server.close();
    await closed;
    servers.push(await serveHealth(server.address, WELL));
  });
});

describe('an address to listen at', () => {
  it.each([
    ['127.0.0.1:9409', { host: '127.0.0.1', port: 9409 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    [':9409', { host: undefined, port: 9409 }],
    ['0', undefined],
  ])('%s', (text, address) => {
    expect(parseListenAddress(text)).toEqual(address);
    if (address !== undefined) expect(formatListenAddress(address)).toBe(text);
  });

  it.each([
    '',
    '9409',
    '127.0.0.1',
    '::1:9409',
    '127.0.0.1:70000',
    'localhost:1',
    '[127.0.0.1]:1',
    '1.2.3:4',
  ])('refuses %p', text => {
    expect(() => parseListenAddress(text)).toThrow('no address to listen at');
  });
});
