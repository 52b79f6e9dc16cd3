/** Fresh databases of OVN, each served by an ovsdb-server(1) of its own. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { OvnRoot, SchemaName } from '../../src/sandbox/ovn/ovn-root.ts';
import { databaseFolder, ovn, RealServer } from '../support/ovsdb-server.ts';
import { processorMs, readPid } from './processor-time.ts';

export class Databases {
  readonly root: OvnRoot;
  /** For databases, sockets and other files; {@link destroy} removes it. */
  readonly folder = databaseFolder();
  /** With their names. */
  readonly #running = new Map<RealServer, string>();
  #count = 0;

  private constructor(root: OvnRoot) {
    this.root = root;
  }

  static async create(): Promise<Databases> {
    return new Databases(await ovn('trixie'));
  }

  /** An empty one; a northbound where nothing else is said. */
  start(schema: SchemaName = 'ovn-nb'): RealServer {
    const name = `${schema}${this.#count++}`;
    const server = new RealServer({ root: this.root, folder: this.folder, name });
    server.create(schema);
    server.start();
    this.#running.set(server, name);
    return server;
  }

  /** As {@link processorMs}. */
  processorMs(server: RealServer): number {
    return processorMs(readPid(join(this.folder, `${this.#running.get(server)}.pid`)));
  }

  stop(server: RealServer): void {
    server.stop();
    this.#running.delete(server);
  }

  /** Stops all servers and removes all files, at once. */
  destroy(): void {
    for (const server of this.#running.keys()) server.stop();
    this.#running.clear();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
