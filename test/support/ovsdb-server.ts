import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Endpoint } from '../../src/ovsdb-client/index.ts';
import { type OvnRelease, type OvnRoot, ovnRoot, type SchemaName } from '../../src/sandbox/ovn/ovn-root.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** OVN's programs of a Debian release; fetched on first use, which takes some seconds. */
export function ovn(release: OvnRelease = 'trixie'): Promise<OvnRoot> {
  return ovnRoot(release, silent);
}

/** A new folder for databases and sockets, with a name short enough for a socket's path. */
export function databaseFolder(): string {
  return mkdtempSync(join(tmpdir(), 'ovsdb-'));
}

/** TCP ports of 127.0.0.1 that were free a moment ago. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  return Promise.all(
    servers.map(async server => {
      const address = server.address();
      await new Promise(resolve => server.close(resolve));
      if (address === null || typeof address === 'string') throw new Error('a server without a port');
      return address.port;
    }),
  );
}

export interface RealServerOptions {
  readonly root: OvnRoot;
  readonly folder: string;
  /** Names the files; several servers may share a folder. */
  readonly name: string;
  /** More --remote options, e.g. `ptcp:16641:127.0.0.1`; the unix socket is always there. */
  readonly remotes?: readonly string[];
  /** More options of ovsdb-server(1). */
  readonly args?: readonly string[];
}

/** One real ovsdb-server(1), known by its pidfile. */
export class RealServer {
  readonly endpoint: Endpoint & { readonly kind: 'unix' };
  readonly #options: RealServerOptions;
  readonly #path: string;
  #runs = false;

  constructor(options: RealServerOptions) {
    this.#options = options;
    this.#path = join(options.folder, options.name);
    this.endpoint = { kind: 'unix', path: `${this.#path}.sock` };
  }

  /** Makes an empty standalone database. */
  create(schema: SchemaName): void {
    const { root } = this.#options;
    this.run('ovsdb-tool', ['create', this.#database, root.schemaPath(schema)]);
  }

  /** Makes the first member of a cluster, which listens at `address` (`tcp:HOST:PORT`). */
  createCluster(schema: SchemaName, address: string): void {
    const { root } = this.#options;
    this.run('ovsdb-tool', [
      '--election-timer=1000',
      'create-cluster',
      this.#database,
      root.schemaPath(schema),
      address,
    ]);
  }

  /** Makes another member of a cluster. */
  joinCluster(database: string, address: string, first: string): void {
    this.run('ovsdb-tool', ['join-cluster', this.#database, database, address, first]);
  }

  /** Starts it; returns when it listens. */
  start(): void {
    const { remotes = [], args = [] } = this.#options;
    this.run('ovsdb-server', [
      '--detach',
      '--no-chdir',
      `--pidfile=${this.#path}.pid`,
      `--log-file=${this.#path}.log`,
      `--unixctl=${this.#path}.ctl`,
      ...[`punix:${this.#path}.sock`, ...remotes].map(remote => `--remote=${remote}`),
      ...args,
      this.#database,
    ]);
    this.#runs = true;
  }

  /** Asks it to do something by its control socket, e.g. `cluster/status OVN_Northbound`. */
  control(...command: readonly string[]): string {
    return this.run('ovs-appctl', ['-t', `${this.#path}.ctl`, ...command]);
  }

  /** Stops it at once, as a crash would. */
  kill(): void {
    const pid = Number(readFileSync(`${this.#path}.pid`, 'utf8'));
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    if (!command.includes(`--pidfile=${this.#path}.pid`)) throw new Error(`process ${pid} is another one`);
    process.kill(pid, 'SIGKILL');
    rmSync(`${this.#path}.sock`, { force: true });
    this.#runs = false;
  }

  /** Stops it if it runs. */
  stop(): void {
    if (this.#runs) this.kill();
  }

  /** Runs one of OVN's programs to its end. Output that a daemon inherits must be a file, not a pipe. */
  run(program: string, args: readonly string[]): string {
    const { root, folder } = this.#options;
    const command = root.command(program, args);
    const output = join(folder, `${program}.out`);
    const file = openSync(output, 'w');
    try {
      const env = { ...process.env, OVS_RUNDIR: folder, OVS_LOGDIR: folder, OVS_DBDIR: folder };
      execFileSync(command.file, [...command.args], { stdio: ['ignore', file, file], env, timeout: 30_000 });
    } catch (cause) {
      throw new Error(`${program}: ${readFileSync(output, 'utf8')}`, { cause });
    } finally {
      closeSync(file);
    }
    return readFileSync(output, 'utf8');
  }

  get #database(): string {
    return `${this.#path}.db`;
  }
}
