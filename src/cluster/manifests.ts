import { type Document, isCollection, isNode, parseAllDocuments, type Tags, visit } from 'yaml';
import { isRaw, messageOf } from './facts/raw.ts';
import { jsonValues } from './manifest-json.ts';
import {
  type DocumentObjects,
  type Locate,
  objectsOf,
  type PlacedObject,
  type Refusal,
} from './manifest-object.ts';

export { type KubeObject, type ObjectKey, objectId, objectTitle } from './manifest-object.ts';

/** The text of one document and the number of its first line, from 1. */
export interface Piece {
  readonly text: string;
  readonly line: number;
}

/** Why a document cannot be parsed. `line` counts from 0 at the document's first line, `column` from 1. */
export interface Fault {
  readonly line: number;
  readonly column: number;
  readonly reason: string;
}

/** What a piece of a manifest says: a pure function of its text. */
export interface ParsedPiece extends DocumentObjects {
  readonly fault: Fault | undefined;
}

/** How often aliases may be expanded, and how many values, how deep, may come of it: above any manifest, below any harm. */
const MAX_ALIASES = 10_000;
const MAX_VALUES = 1_000_000;
const MAX_DEPTH = 1000;

/** Tags of YAML 1.1 whose values have no like in JSON, or which Kubernetes' parser reads as text. */
const UNWANTED_TAGS = /:(?:binary|omap|pairs|set|timestamp)$/;

/**
 * Cuts a manifest at its document markers: `---` at the start of a line, followed by a blank or the line's end, which
 * YAML allows nowhere else (1.2.2, rule c-forbidden) and JSON nowhere at all. Directives belong to the document that
 * they precede. Lines are counted; nothing is parsed, so a caller may stop, wait, or skip what it knows.
 */
export function* splitDocuments(text: string): Generator<Piece> {
  let start = text.startsWith('\uFEFF') ? 1 : 0;
  let line = 1;
  for (const marker of text.matchAll(/\n---(?=\s|$)/g)) {
    const cut = beforeDirectives(text, start, marker.index + 1);
    if (cut <= start) continue;
    const piece = text.slice(start, cut);
    yield { text: piece, line };
    line += countLines(piece);
    start = cut;
  }
  yield { text: text.slice(start), line };
}

function beforeDirectives(text: string, start: number, marker: number): number {
  let cut = marker;
  while (cut > start) {
    // lastIndexOf takes a negative position as 0, and would find the newline that this line comes after.
    const lineStart = Math.max(cut < 2 ? 0 : text.lastIndexOf('\n', cut - 2) + 1, start);
    if (text[lineStart] !== '%') break;
    cut = lineStart;
  }
  return cut;
}

/**
 * Parses one piece. Never throws. YAML is read as Kubernetes' own parser reads it: YAML 1.1 scalars (`yes` is true, 0644
 * is 420; but see {@link usualTags}) and merge keys (`<<`), but times and base 60 numbers are text; a key twice in one mapping is a fault, and so
 * is a document that is no mapping. Empty documents hold nothing.
 */
export function parsePiece(text: string): ParsedPiece {
  const found = { objects: [] as PlacedObject[], refusals: [] as Refusal[] };
  try {
    for (const { value, at, locate } of documentsOf(text)) {
      if (value === null || value === undefined) continue;
      if (!isRaw(value)) {
        throw new FaultAt(at, 'a document must be a mapping with apiVersion, kind and metadata');
      }
      const { objects, refusals } = objectsOf(value, locate);
      for (const object of objects) found.objects.push(object);
      for (const refusal of refusals) found.refusals.push(refusal);
    }
    return { ...found, fault: undefined };
  } catch (error) {
    const { line, column } = positionsIn(text)(error instanceof FaultAt ? error.offset : 0);
    // The YAML parser tells of an exhausted stack as of any other fault.
    const message = messageOf(error);
    const reason = /call stack/.test(message) ? 'nested too deeply' : message;
    return { objects: [], refusals: [], fault: { line, column, reason } };
  }
}

interface Located {
  readonly value: unknown;
  /** Offset of the value in the text. */
  readonly at: number;
  readonly locate: Locate;
}

class FaultAt extends Error {
  readonly offset: number;
  constructor(offset: number, reason: string) {
    super(reason);
    this.offset = offset;
  }
}

function* documentsOf(text: string): Generator<Located> {
  const json = /^\s*[{[]/.test(text) ? jsonValues(text) : undefined;
  if (json !== undefined) {
    const positionOf = positionsIn(text);
    for (const { value, offset } of json) {
      const { line } = positionOf(offset);
      yield { value, at: offset, locate: () => line };
    }
    return;
  }
  const documents = parseAllDocuments(text, {
    schema: 'yaml-1.1',
    customTags: usualTags,
    prettyErrors: false,
    logLevel: 'silent',
  });
  for (const document of documents) yield yamlDocument(text, document);
}

/** A lone `y` or `n` stays text: it is a name far more often than a truth value. */
function usualTags(tags: Tags): Tags {
  return tags.flatMap(tag => {
    if (typeof tag !== 'object') return tag;
    if (tag.format === 'TIME' || UNWANTED_TAGS.test(tag.tag)) return [];
    if (!tag.tag.endsWith(':bool') || !('test' in tag) || tag.test === undefined) return tag;
    return { ...tag, test: new RegExp(`(?!^.$)${tag.test.source}`) };
  });
}

function yamlDocument(text: string, document: Document): Located {
  const [error] = document.errors;
  if (error !== undefined) throw new FaultAt(error.pos[0], error.message);
  const at = document.contents?.range?.[0] ?? 0;
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (cause) {
    if (cause instanceof RangeError) throw cause;
    throw new FaultAt(unresolvedAlias(document) ?? at, messageOf(cause));
  }
  if (text.includes('*') && isTooLarge(value)) throw new FaultAt(at, 'its aliases expand without bounds');
  const positionOf = positionsIn(text);
  return { value, at, locate: indexes => positionOf(offsetOfItem(document, indexes)).line };
}

function unresolvedAlias(document: Document): number | undefined {
  let offset: number | undefined;
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) !== undefined) return undefined;
      offset = alias.range?.[0];
      return visit.BREAK;
    },
  });
  return offset;
}

function offsetOfItem(document: Document, indexes: readonly number[]): number {
  let node: unknown = document.contents;
  for (const index of indexes) {
    const items: unknown = isCollection(node) ? node.get('items', true) : undefined;
    const item: unknown = isCollection(items) ? items.get(index, true) : undefined;
    if (!isNode(item)) break;
    node = item;
  }
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}

function isTooLarge(root: unknown): boolean {
  let count = 0;
  let level = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    count += level.length;
    if (count > MAX_VALUES || depth > MAX_DEPTH) return true;
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue;
      for (const child of Object.values(value)) next.push(child);
      if (next.length > MAX_VALUES) return true;
    }
    level = next;
  }
  return false;
}

/** Finds lines (from 0) and columns (from 1) of offsets; the line starts are looked up once, for long lists. */
function positionsIn(text: string): (offset: number) => { line: number; column: number } {
  let starts: readonly number[] | undefined;
  return offset => {
    starts ??= [0, ...Array.from(text.matchAll(/\n/g), newline => newline.index + 1)];
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { line: low, column: offset - (starts[low] ?? 0) + 1 };
  };
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}
