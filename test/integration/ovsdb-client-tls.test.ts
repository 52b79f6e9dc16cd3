import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConnectionError, Session, type TlsOptions } from '../../src/ovsdb-client/index.ts';
import { databaseFolder, freePorts, ovn, RealServer } from '../support/ovsdb-server.ts';
import { rejection, watch } from '../support/watched-session.ts';

const folder = databaseFolder();
const file = (name: string) => join(folder, name);
let server: RealServer;
let port = 0;

/** Runs openssl(1), which says on stderr what it did. */
function openssl(...args: readonly string[]): void {
  execFileSync('openssl', [...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
}

function authority(name: string): void {
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.pem`,
  );
}

/** A certificate as OVN clusters have them: signed, without any host name; or with one. */
function certificate(name: string, ca: string, host?: string): void {
  openssl(
    'req',
    '-new',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
  );
  writeFileSync(file(`${name}.ext`), host === undefined ? '' : `subjectAltName=DNS:${host}\n`);
  openssl(
    'x509',
    '-req',
    '-days',
    '2',
    '-in',
    `${name}.csr`,
    '-CA',
    `${ca}.pem`,
    '-CAkey',
    `${ca}.key`,
    '-CAcreateserial',
    '-extfile',
    `${name}.ext`,
    '-out',
    `${name}.pem`,
  );
}

beforeAll(async () => {
  authority('ca');
  authority('stranger');
  certificate('server', 'ca');
  certificate('named', 'ca', 'localhost');
  certificate('client', 'ca');
  certificate('impostor', 'stranger');
  const root = await ovn();
  [port = 0] = await freePorts(1);
  server = new RealServer({
    root,
    folder,
    name: 'nb',
    remotes: [`pssl:${port}:127.0.0.1`],
    args: serverTls('server'),
  });
  server.create('ovn-nb');
  server.start();
});

afterAll(() => {
  server.stop();
  rmSync(folder, { recursive: true });
});

function serverTls(name: string): readonly string[] {
  return [
    `--private-key=${file(`${name}.key`)}`,
    `--certificate=${file(`${name}.pem`)}`,
    `--ca-cert=${file('ca.pem')}`,
  ];
}

function connect(tls: TlsOptions, host = '127.0.0.1', toPort = port): Session {
  const remotes = [{ kind: 'ssl', host, port: toPort }] as const;
  return watch(
    new Session({ remotes, database: 'OVN_Northbound', tables: {}, tls, backoff: { minMs: 5, maxMs: 50 } }),
  ).session;
}

const client = { privateKey: file('client.key'), certificate: file('client.pem'), caCert: file('ca.pem') };

describe('TLS', () => {
  it('works with certificates that name no host', async () => {
    await connect(client).ready(10_000);
  });

  it('checks the authority of the server', async () => {
    const error = await rejection(connect({ ...client, caCert: file('stranger.pem') }).ready(500));
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error.message).toMatch(/^ssl:127\.0\.0\.1:\d+: .*certificate/);
  });

  it('is refused by the server without a certificate of its authority', async () => {
    const session = connect({
      ...client,
      privateKey: file('impostor.key'),
      certificate: file('impostor.pem'),
    });
    const error = await rejection(session.ready(500));
    expect(error.message).toMatch(/^ssl:127\.0\.0\.1:\d+: /);
    expect(session.state).toBe('connecting');
  });

  it('checks the name of the server where asked to', async () => {
    const error = await rejection(connect({ ...client, checkNames: true }, 'localhost').ready(500));
    expect(error.message).toMatch(/localhost/);
    const [other = 0] = await freePorts(1);
    const args = serverTls('named');
    const named = new RealServer({
      root: await ovn(),
      folder,
      name: 'named',
      remotes: [`pssl:${other}:127.0.0.1`],
      args,
    });
    named.create('ovn-nb');
    named.start();
    try {
      await connect({ ...client, checkNames: true }, 'localhost', other).ready(10_000);
    } finally {
      named.stop();
    }
  });

  it('names a file that it cannot read', async () => {
    const error = await rejection(connect({ ...client, privateKey: file('nothing.key') }).ready(300));
    expect(error.message).toContain(`cannot read ${file('nothing.key')}: ENOENT`);
  });

  it('names a file that is no key', async () => {
    writeFileSync(file('junk.key'), 'junk');
    const error = await rejection(connect({ ...client, privateKey: file('junk.key') }).ready(300));
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error.message).toMatch(/^ssl:127\.0\.0\.1:\d+: the key or a certificate is unusable: /);
  });
});
