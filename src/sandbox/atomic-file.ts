import { renameSync, writeFileSync } from 'node:fs';

/** Writes a JSON file so that a reader sees the old one or the new one, never a part. */
export function writeJson(path: string, value: unknown): void {
  const staged = `${path}.${process.pid}.new`;
  writeFileSync(staged, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(staged, path);
}
