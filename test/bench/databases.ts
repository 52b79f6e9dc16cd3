/** Fresh northbound databases, each served by an ovsdb-server(1) of its own. */
import { rmSync } from 'node:fs';
import type { OvnRoot } from '../../src/sandbox/ovn-root.ts';
import { databaseFolder, ovn, RealServer } from '../support/ovsdb-server.ts';

export class Databases {
  readonly root: OvnRoot;
  /** For databases, sockets and other files; {@link destroy} removes it. */
  readonly folder = databaseFolder();
  readonly #running = new Set<RealServer>();
  #count = 0;

  private constructor(root: OvnRoot) {
    this.root = root;
  }

  static async create(): Promise<Databases> {
    return new Databases(await ovn('trixie'));
  }

  start(): RealServer {
    const server = new RealServer({ root: this.root, folder: this.folder, name: `nb${this.#count++}` });
    server.create('ovn-nb');
    server.start();
    this.#running.add(server);
    return server;
  }

  stop(server: RealServer): void {
    server.stop();
    this.#running.delete(server);
  }

  /** Stops all servers and removes all files, at once. */
  destroy(): void {
    for (const server of this.#running) server.stop();
    this.#running.clear();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
