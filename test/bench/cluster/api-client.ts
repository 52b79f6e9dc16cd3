import { readFileSync } from 'node:fs';
import { Agent, type RequestOptions, request } from 'node:https';

/** A kubeconfig as the control plane of the tests writes it for its administrator. */
interface Kubeconfig {
  readonly clusters: readonly {
    readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string };
  }[];
  readonly users: readonly {
    readonly user: { readonly 'client-certificate-data': string; readonly 'client-key-data': string };
  }[];
}

/** The least that a program can do to ask an API server: nothing is parsed, retried or cancelled. */
export class ApiClient {
  readonly #server: string;
  readonly #agent: Agent;

  /** So many connections, which stay open. */
  constructor(kubeconfig: string, connections: number) {
    const config = JSON.parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig;
    const [cluster, user] = [config.clusters[0]?.cluster, config.users[0]?.user];
    if (!cluster || !user) throw new Error(`${kubeconfig} has no cluster or no user`);
    const decoded = (text: string) => Buffer.from(text, 'base64');
    this.#server = cluster.server;
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: connections,
      ca: decoded(cluster['certificate-authority-data']),
      cert: decoded(user['client-certificate-data']),
      key: decoded(user['client-key-data']),
    });
  }

  /** Resolves to the whole answer. Rejects where it is no success. */
  async ask(method: string, path: string, body?: Buffer): Promise<string> {
    const pieces: string[] = [];
    await this.#send({ method, path }, body, piece => pieces.push(piece));
    return pieces.join('');
  }

  /** Hands the answer over as it comes; `begun` is called when it begins. Resolves when it ends. */
  stream(path: string, begun: () => void, take: (piece: string) => void): Promise<void> {
    return this.#send({ method: 'GET', path }, undefined, take, begun);
  }

  #send(
    options: RequestOptions,
    body: Buffer | undefined,
    take: (piece: string) => void,
    begun = () => {},
  ): Promise<void> {
    const headers = body ? { 'content-type': 'application/json', 'content-length': body.length } : {};
    return new Promise((resolve, reject) => {
      const asked = request(this.#server, { ...options, headers, agent: this.#agent }, answer => {
        let said = '';
        const isSuccess = answer.statusCode === 200 || answer.statusCode === 201;
        if (isSuccess) begun();
        answer.setEncoding('utf8').on('data', (piece: string) => {
          if (isSuccess) take(piece);
          else said += piece;
        });
        answer.on('error', reject).on('end', () => {
          if (isSuccess) resolve();
          else reject(new Error(`${options.method} ${options.path}: ${answer.statusCode} ${said}`));
        });
      });
      asked.on('error', reject);
      asked.end(body);
    });
  }
}
