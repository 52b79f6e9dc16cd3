import { X509Certificate } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { AccessError, type TlsMaterial } from './access.ts';
import { saidBy } from './causes.ts';
import { RotatingFile } from './rotating-file.ts';

/** What client-node reads of a kubeconfig's cluster and user. */
interface Named {
  readonly cluster: {
    readonly caFile?: string;
    readonly caData?: string;
    readonly tlsServerName?: string;
    readonly skipTLSVerify: boolean;
  };
  readonly user: {
    readonly certFile?: string;
    readonly certData?: string;
    readonly keyFile?: string;
    readonly keyData?: string;
  };
}

/** The certificates and the key that a kubeconfig names or holds. */
export class TlsFiles {
  readonly #fixed: TlsMaterial;
  readonly #ca: () => Buffer | undefined;
  readonly #cert: () => Buffer | undefined;
  readonly #key: () => Buffer | undefined;
  readonly #files: RotatingFile[] = [];

  /** Throws {@link AccessError} for a file that cannot be read, and for what is no certificate or no key. */
  constructor(file: string, { cluster, user }: Named) {
    const folder = dirname(file);
    const part = (field: string, path: string | undefined, data: string | undefined) =>
      this.#part(folder, field, path, data);
    this.#ca = part('certificate-authority', cluster.caFile, cluster.caData);
    this.#cert = part('client-certificate', user.certFile, user.certData);
    this.#key = part('client-key', user.keyFile, user.keyData);
    this.#fixed = {
      ...(cluster.tlsServerName && { servername: cluster.tlsServerName }),
      ...(cluster.skipTLSVerify && { rejectUnauthorized: false }),
    };
    const { ca, cert, key } = this.read();
    check(file, 'certificate-authority', () => ca && new X509Certificate(ca));
    check(file, 'client-certificate with client-key', () =>
      createSecureContext({ ...(cert && { cert }), ...(key && { key }) }),
    );
  }

  read(): TlsMaterial {
    const [ca, cert, key] = [this.#ca(), this.#cert(), this.#key()];
    return { ...this.#fixed, ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  }

  forget(): void {
    for (const file of this.#files) file.forget();
  }

  #part(folder: string, field: string, path: string | undefined, data: string | undefined) {
    if (path) {
      const file = new RotatingFile(resolve(folder, path), `the ${field}`);
      this.#files.push(file);
      return () => file.read();
    }
    const bytes = data ? Buffer.from(data, 'base64') : undefined;
    return () => bytes;
  }
}

function check(file: string, field: string, use: () => unknown): void {
  try {
    use();
  } catch (cause) {
    throw new AccessError(`the kubeconfig ${file} cannot be used: its ${field} is no PEM: ${saidBy(cause)}`, {
      cause,
    });
  }
}
