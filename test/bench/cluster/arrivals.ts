/** Reading what arrives piece by piece with as little work as possible: it must not slow down what is measured. */

/** When each name was seen first, in ms of the machine's clock. */
export type Times = ReadonlyMap<string, number>;

/** No name, with all that has to stand around it, is longer. */
const LONGEST = 600;

/** Finds names in a text that comes in pieces; the first group of the pattern, which must be global, is the name. */
export class NameScanner {
  readonly #pattern: RegExp;
  #rest = '';

  constructor(pattern: RegExp) {
    this.#pattern = pattern;
  }

  take(piece: string): readonly string[] {
    const text = this.#rest + piece;
    const names: string[] = [];
    let end = 0;
    for (const match of text.matchAll(this.#pattern)) {
      names.push(match[1] ?? '');
      end = match.index + match[0].length;
    }
    this.#rest = text.slice(Math.max(end, text.length - LONGEST));
    return names;
  }
}

/** The lines of a text that comes in pieces. */
export class LineReader {
  #rest = '';

  /** The lines that this piece completes. */
  take(piece: string): readonly string[] {
    const lines = (this.#rest + piece).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines;
  }
}

/** What one line of a watch of pods says (Kubernetes: "API concepts"). */
export interface PodEvent {
  readonly name: string;
  /** Where a watch goes on that has seen it. */
  readonly version: string;
  readonly hasAddress: boolean;
}

/** Undefined where the line is about something else. */
export function podEvent(line: string): PodEvent | undefined {
  const [, name, version] = POD_EVENT.exec(line.slice(0, LONGEST)) ?? [];
  if (name === undefined || version === undefined) return undefined;
  return { name, version, hasAddress: line.includes(ANNOTATION) };
}

const POD_EVENT =
  /^\{"type":"(?:ADDED|MODIFIED)","object":\{"kind":"Pod","apiVersion":"v1","metadata":\{"name":"([^"]+)".*?"resourceVersion":"(\d+)"/;
const ANNOTATION = '"k8s.ovn.org/pod-networks":';

/** The names of pods in what a monitor of ports says: a pod's port is called `NAMESPACE_POD`. */
export const POD_OF_PORT = /"name":"[a-z0-9-]+_([^"]+)"/g;

/** How long each took from one to the other, in ms; below 0 where the other came first. Throws where one is missing. */
export function waits(from: Times, to: Times): readonly number[] {
  return Array.from(from, ([name, since]) => {
    const until = to.get(name);
    if (until === undefined) throw new Error(`${name} never came`);
    return until - since;
  });
}
