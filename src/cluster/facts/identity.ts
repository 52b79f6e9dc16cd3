import { attempt, objectAt, type Raw, textOf } from './raw.ts';

/** What decides between two objects that claim the same thing: the older one, then the lower uid, then the name. */
export interface Identity {
  /** `metadata.uid`, or '' where the manifest has none. */
  readonly uid: string;
  /** `metadata.creationTimestamp` (RFC 3339), or '' where there is none. */
  readonly created: string;
}

/** Reads uid and age from an object's metadata. Throws FieldError where they are not text. */
export function identityOf(raw: Raw): Identity {
  const metadata = objectAt(raw, 'metadata');
  return {
    uid: textOf(metadata, 'uid', 'metadata') ?? '',
    created: textOf(metadata, 'creationTimestamp', 'metadata') ?? '',
  };
}

/** `metadata.resourceVersion`; undefined where there is none. */
export function versionOf(raw: Raw): string | undefined {
  return attempt([], () => textOf(objectAt(raw, 'metadata'), 'resourceVersion', 'metadata'), undefined);
}

/** The annotation's text, or undefined. Throws FieldError where it is not text. */
export function annotation(raw: Raw, name: string): string | undefined {
  return textOf(objectAt(raw, 'metadata', 'annotations'), name, 'metadata.annotations');
}

/**
 * A uid for an object to which its manifest gives none: the same for the same name, on every machine. It has the form
 * of a UUID of version 8 (RFC 9562, 5.8), two FNV-1a hashes of 64 bits.
 */
export function derivedUid(name: string): string {
  const hex = fnv1a64(`uid of ${name}`) + fnv1a64(`${name} as a uid`);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20),
  ].join('-');
}

function fnv1a64(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, '0');
}
