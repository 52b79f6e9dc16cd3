import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { messageOf } from './facts/raw.ts';
import { codeOf, signatureOf } from './manifest-files.ts';
import { type ParsedPiece, parsePiece, splitDocuments } from './manifests.ts';

/** A document of a file, with a hash of its text by which it is known again. */
export interface LoadedPiece {
  readonly hash: string;
  /** The file's line, from 1, at which the document starts. */
  readonly line: number;
  readonly parsed: ParsedPiece;
}

/** The content of a manifest. Its text is not kept. */
export interface Loaded {
  readonly hash: string;
  readonly pieces: readonly LoadedPiece[];
  /** Why the content is no text; there are no pieces then. */
  readonly fault: string | undefined;
}

/** Parsing pauses this often, in ms, so that a large file does not hold up everything else. */
const SLICE = 20;

/** The file's bytes and the signature that it had before and after; undefined where it was written to meanwhile. */
export async function readSteadily(
  file: string,
): Promise<{ readonly bytes: Uint8Array; readonly signature: string } | undefined> {
  const handle = await open(file, 'r');
  try {
    const before = signatureOf(await handle.stat());
    const bytes = await handle.readFile();
    const after = signatureOf(await handle.stat());
    return before === after ? { bytes, signature: after } : undefined;
  } finally {
    await handle.close();
  }
}

/** Parses a manifest. Documents that `known`, an earlier content of it, has too are not parsed again. Never throws. */
export async function loadManifest(bytes: Uint8Array, known: Loaded | undefined): Promise<Loaded> {
  const hash = hashOf(bytes);
  if (hash === known?.hash) return known;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    const invalid = codeOf(error) === 'ERR_ENCODING_INVALID_ENCODED_DATA';
    return { hash, pieces: [], fault: invalid ? 'is not UTF-8 text' : messageOf(error) };
  }
  return { hash, pieces: await parsePieces(text, known), fault: undefined };
}

async function parsePieces(text: string, known: Loaded | undefined): Promise<readonly LoadedPiece[]> {
  const byHash = new Map(known?.pieces.map(piece => [piece.hash, piece.parsed]));
  const pieces: LoadedPiece[] = [];
  let pause = performance.now() + SLICE;
  for (const piece of splitDocuments(text)) {
    const hash = hashOf(piece.text);
    pieces.push({ hash, line: piece.line, parsed: byHash.get(hash) ?? parsePiece(piece.text) });
    if (performance.now() < pause) continue;
    await setImmediate();
    pause = performance.now() + SLICE;
  }
  return pieces;
}

function hashOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('base64');
}
