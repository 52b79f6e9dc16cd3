import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeJson } from '../atomic-file.ts';

/** A pod that the runner has begun to make. Kept on disk: a restarted runner and `down` go by it. */
export interface PodRecord {
  /** Short and unlike every other pod's, also for the next pod of the same name. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly node: string;
  /** The pod's own, or its node's where the pod has none. */
  readonly netns: string;
  readonly hostNetwork?: true;
  /** The container id that the CNI plugin was given. */
  readonly sandboxId: string;
  /** What its responder listens on, e.g. `tcp:80`. */
  readonly ports: readonly string[];
  /** undefined until the plugin has attached the pod. */
  readonly attachment?: PodAttachment;
}

/** What the CNI plugin answered; of a pod in its node's network, what the node has. */
export interface PodAttachment {
  readonly interface: string;
  readonly mac: string;
  /** Without prefix length. */
  readonly ips: readonly string[];
}

/** The records of a sandbox's pods, one file each. */
export class PodRecords {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  list(): readonly PodRecord[] {
    if (!existsSync(this.#folder)) return [];
    return readdirSync(this.#folder)
      .filter(name => name.endsWith('.json'))
      .flatMap(name => readRecord(join(this.#folder, name)));
  }

  write(record: PodRecord): void {
    mkdirSync(this.#folder, { recursive: true });
    writeJson(this.file(record.id, 'json'), record);
  }

  /** Removes the record and every other file of the pod. */
  remove(record: PodRecord): void {
    for (const ending of ['pid', 'ready', 'log', 'json'])
      rmSync(this.file(record.id, ending), { force: true });
  }

  /** A file that belongs to a pod. */
  file(id: string, ending: string): string {
    return join(this.#folder, `${id}.${ending}`);
  }
}

/** Empty where the runner has removed the pod since the folder was listed. */
function readRecord(path: string): readonly PodRecord[] {
  try {
    return [JSON.parse(readFileSync(path, 'utf8')) as PodRecord];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
