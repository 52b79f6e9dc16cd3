/** A JSON value and where it starts in the text. */
export interface JsonValue {
  readonly value: unknown;
  readonly offset: number;
}

/** Everything that matters for finding the ends of values: strings as a whole, brackets, colons. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*(?:"|$)|[{}[\]:]/gs;

/** Deeper than any manifest. JSON.parse has no limit of its own, but what compares the values later has. */
const MAX_DEPTH = 500;

/**
 * The objects and arrays that follow each other in a JSON text (one, or a stream as `jq` and `kubectl` write them).
 * undefined where the text is anything else, is nested too deeply, or where an object has one key twice, which JSON.parse
 * would not tell: the YAML parser then finds the place and the words.
 */
export function jsonValues(text: string): readonly JsonValue[] | undefined {
  const values: JsonValue[] = [];
  let depth = 0;
  let start = 0;
  let keys = 0;
  for (const token of text.matchAll(TOKENS)) {
    const sign = token[0];
    if (sign === ':') keys += 1;
    else if (sign === '{' || sign === '[') depth += 1;
    else if (sign === '}' || sign === ']') depth -= 1;
    if (depth > MAX_DEPTH) return undefined;
    if (depth > 0 || (sign !== '}' && sign !== ']')) continue;
    const end = token.index + 1;
    const value = parse(text.slice(start, end));
    if (depth < 0 || value === undefined || countKeys(value) !== keys) return undefined;
    values.push({ value, offset: start + text.slice(start, end).search(/\S/) });
    start = end;
    keys = 0;
  }
  return depth === 0 && text.slice(start).trim() === '' ? values : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function countKeys(root: unknown): number {
  let keys = 0;
  const waiting = [root];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    const children = Object.values(value);
    if (!Array.isArray(value)) keys += children.length;
    for (const child of children) waiting.push(child);
  }
  return keys;
}
