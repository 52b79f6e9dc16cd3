import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../processes/run-command.ts';

/** A key and its certificate, as PEM files. */
export interface KeyPair {
  readonly key: string;
  readonly certificate: string;
}

/** Who a client certificate says that its bearer is: Kubernetes takes the name from CN, the groups from O. */
export interface User {
  readonly name: string;
  readonly groups?: readonly string[];
}

/** Longer than any sandbox lives. */
const DAYS = '3650';

/** A certificate authority in a folder of its own. Needs openssl(1), as Node signs no certificates. */
export class Authority {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Where the authority's certificate is, or that of a name. */
  files(name = 'ca'): KeyPair {
    return { key: join(this.#folder, `${name}.key`), certificate: join(this.#folder, `${name}.crt`) };
  }

  /** Makes the folder and the authority's own certificate. */
  async create(): Promise<void> {
    await mkdir(this.#folder, { mode: 0o700 });
    // The system's configuration would make each certificate one of an authority.
    writeFileSync(this.#config, '[req]\ndistinguished_name = dn\n[dn]\n');
    await this.#request('ca', '/CN=kube-northbound sandbox', [
      'basicConstraints=critical,CA:TRUE',
      'keyUsage=critical,keyCertSign,cRLSign',
      'subjectKeyIdentifier=hash',
    ]);
  }

  /** A server's certificate. */
  async server(
    file: string,
    names: { readonly dns: readonly string[]; readonly ips: readonly string[] },
  ): Promise<KeyPair> {
    const alternatives = [...names.dns.map(name => `DNS:${name}`), ...names.ips.map(ip => `IP:${ip}`)];
    return this.#issue(file, `/CN=${file}`, 'serverAuth', [`subjectAltName=${alternatives.join(',')}`]);
  }

  /** The certificate of a user. */
  async client(file: string, { name, groups = [] }: User): Promise<KeyPair> {
    const subject = ['', ...groups.map(group => `O=${group}`), `CN=${name}`].join('/');
    return this.#issue(file, subject, 'clientAuth', []);
  }

  get #config(): string {
    return join(this.#folder, 'openssl.cnf');
  }

  async #issue(file: string, subject: string, use: string, extensions: readonly string[]): Promise<KeyPair> {
    const { key, certificate } = this.files();
    const plain = ['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature'];
    await this.#request(
      file,
      subject,
      [...plain, `extendedKeyUsage=${use}`, ...extensions],
      [...['-CA', certificate, '-CAkey', key]],
    );
    return this.files(file);
  }

  /** openssl-req(1) makes key and certificate in one step. */
  async #request(
    file: string,
    subject: string,
    extensions: readonly string[],
    signer: readonly string[] = [],
  ): Promise<void> {
    const { key, certificate } = this.files(file);
    await runCommand({
      file: 'openssl',
      args: [
        ...['req', '-x509', '-config', this.#config, '-days', DAYS, '-subj', subject],
        ...[
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:P-256',
          '-nodes',
          '-keyout',
          key,
          '-out',
          certificate,
        ],
        ...extensions.flatMap(extension => ['-addext', extension]),
        ...signer,
      ],
    });
  }
}

/** The key pair that ServiceAccount tokens are signed with. */
export function writeTokenKeys(file: KeyPair): void {
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  writeFileSync(file.key, privateKey, { mode: 0o600 });
  writeFileSync(file.certificate, publicKey);
}
