import { messageOf } from './facts/raw.ts';
import { type ManifestClaim, ManifestClaims, type ManifestProblem } from './manifest-claims.ts';
import { codeOf, liesIn, type Sighting, type Sightings } from './manifest-files.ts';
import { type Loaded, loadManifest, readSteadily } from './manifest-load.ts';
import { type KubeObject, type ObjectKey, objectId } from './manifest-object.ts';

/** The result of taking files in. */
export interface Taken {
  /** The number of files whose content, presence or readability is not what it was. */
  readonly changedFiles: number;
  readonly put: readonly KubeObject[];
  readonly deleted: readonly ObjectKey[];
}

interface Entry {
  /** undefined where the file could not be read, so that it is tried again. */
  readonly signature: string | undefined;
  /** Why the file, or the place, could not be read. */
  readonly fault: string | undefined;
  readonly loaded: Loaded | undefined;
  readonly claims: readonly ManifestClaim[];
  readonly problems: readonly ManifestProblem[];
  readonly broken: boolean;
}

/** This many files are read at a time. */
const AT_ONCE = 16;
/** At most this many syntax errors of one file are told. */
const MAX_FAULTS = 10;

/** What has been read of the manifests so far, file by file, and what follows of it. It looks only where it is told. */
export class ManifestReader {
  readonly #entries = new Map<string, Entry>();
  readonly #claims = new ManifestClaims();
  #broken = 0;

  /** Whether every file could be read and parsed. Only then objects are deleted. */
  get synced(): boolean {
    return this.#broken === 0;
  }

  /** Every object, as consumers have been told. */
  objects(): readonly KubeObject[] {
    return this.#claims.objects();
  }

  /** Everything that is wrong now: by file, then objects that are there more than once. */
  problems(): readonly ManifestProblem[] {
    const files = [...this.#entries].filter(([, entry]) => entry.problems.length > 0);
    files.sort(([a], [b]) => (a < b ? -1 : 1));
    return [...files.flatMap(([, entry]) => entry.problems), ...this.#claims.duplicates()];
  }

  /** The paths whose sighting is not the one that was last taken. Files in a place that is faulted stay as they are. */
  differing(sightings: Sightings): string[] {
    const paths: string[] = [];
    for (const [file, sighting] of sightings) {
      if (this.#entries.get(file)?.signature !== sighting.signature) paths.push(file);
    }
    const faulted = [...sightings].filter(([, { fault }]) => fault !== undefined).map(([file]) => file);
    for (const file of this.#entries.keys()) {
      if (!sightings.has(file) && !faulted.some(folder => liesIn(folder, file))) paths.push(file);
    }
    return paths;
  }

  /**
   * Takes these files in, all of them at once, as they are now; a path without sighting is gone. With `steady`, nothing is
   * taken and the result is undefined if one of the files is not what was sighted, because it is being written.
   */
  async take(paths: readonly string[], sightings: Sightings, steady: boolean): Promise<Taken | undefined> {
    const entries: [string, Entry | undefined][] = [];
    for (let start = 0; start < paths.length; start += AT_ONCE) {
      const files = paths.slice(start, start + AT_ONCE);
      const read = await Promise.all(files.map(file => this.#read(file, sightings.get(file), steady)));
      for (const [index, file] of files.entries()) {
        const entry = read[index];
        if (entry === 'unsteady') return undefined;
        entries.push([file, entry]);
      }
    }
    let changedFiles = 0;
    for (const [file, entry] of entries) {
      if (this.#replace(file, sightings.get(file)?.rank ?? '', entry)) changedFiles += 1;
    }
    return { changedFiles, ...this.#claims.settle(this.synced) };
  }

  /** Takes a text that is no file, such as standard input. */
  async takeText(name: string, rank: string, bytes: Uint8Array): Promise<Taken> {
    const loaded = await loadManifest(bytes, undefined);
    const changed = this.#replace(name, rank, entryOf(name, undefined, loaded, undefined));
    return { changedFiles: changed ? 1 : 0, ...this.#claims.settle(this.synced) };
  }

  async #read(
    file: string,
    sighting: Sighting | undefined,
    steady: boolean,
  ): Promise<Entry | undefined | 'unsteady'> {
    if (sighting === undefined) return undefined;
    const before = this.#entries.get(file);
    if (sighting.fault !== undefined) return faultyEntry(file, sighting.signature, sighting.fault, before);
    try {
      const content = await readSteadily(file);
      if (content === undefined || (steady && content.signature !== sighting.signature)) {
        if (steady) return 'unsteady';
        return faultyEntry(file, undefined, 'is being written to; it is read again once it rests', before);
      }
      return entryOf(file, content.signature, await loadManifest(content.bytes, before?.loaded), before);
    } catch (error) {
      if (steady && codeOf(error) === 'ENOENT') return 'unsteady';
      return faultyEntry(file, undefined, `cannot be read: ${messageOf(error)}`, before);
    }
  }

  /** Returns whether anything but the signature is new. */
  #replace(file: string, rank: string, entry: Entry | undefined): boolean {
    const before = this.#entries.get(file);
    this.#broken += Number(entry?.broken ?? false) - Number(before?.broken ?? false);
    if (entry === undefined) this.#entries.delete(file);
    else this.#entries.set(file, entry);
    if (entry === undefined && before === undefined) return false;
    if (entry && before && entry.loaded?.hash === before.loaded?.hash && entry.fault === before.fault)
      return false;
    this.#claims.set({ path: file, rank }, entry?.claims ?? []);
    return true;
  }
}

/** A file that cannot be read keeps the objects of its last good version. */
function faultyEntry(
  file: string,
  signature: string | undefined,
  fault: string,
  before: Entry | undefined,
): Entry {
  return {
    signature,
    fault,
    loaded: before?.loaded,
    claims: before?.claims ?? [],
    problems: [{ object: `File ${file}`, reason: fault }],
    broken: true,
  };
}

/** In a file with a syntax error the other documents count, and objects that they lack stay as they were. */
function entryOf(
  file: string,
  signature: string | undefined,
  loaded: Loaded,
  before: Entry | undefined,
): Entry {
  const object = `File ${file}`;
  const faults = loaded.pieces.flatMap(({ line, parsed: { fault } }) =>
    fault ? [`line ${line + fault.line}, column ${fault.column}: ${fault.reason}`] : [],
  );
  if (loaded.fault !== undefined) faults.push(loaded.fault);
  const refusals = loaded.pieces.flatMap(({ line, parsed }) =>
    parsed.refusals.map(refusal => `line ${line + refusal.line}: ${refusal.reason}`),
  );
  const reasons = [...faults.slice(0, MAX_FAULTS), ...refusals];
  const current = loaded.pieces.flatMap(({ line, parsed }) =>
    parsed.objects.map(placed => ({ line: line + placed.line, object: placed.object })),
  );
  const broken = faults.length > 0;
  return {
    signature,
    fault: undefined,
    loaded,
    claims: broken ? [...current, ...missing(before?.claims ?? [], current)] : current,
    problems: reasons.map(reason => ({ object, reason })),
    broken,
  };
}

function missing(before: readonly ManifestClaim[], now: readonly ManifestClaim[]): readonly ManifestClaim[] {
  const ids = new Set(now.map(claim => objectId(claim.object)));
  return before.filter(claim => !ids.has(objectId(claim.object)));
}
