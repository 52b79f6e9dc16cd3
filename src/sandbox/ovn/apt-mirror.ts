import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AptSource, type DebianMirror, debianMirror, parseDeb822, parseOneLine } from './apt-sources.ts';

const KEYRINGS = ['debian-archive-keyring.pgp', 'debian-archive-keyring.gpg'];

/** The Debian mirror of this machine's own apt sources; undefined where it has none. */
export async function readDebianMirror(etcApt = '/etc/apt'): Promise<DebianMirror | undefined> {
  const folder = join(etcApt, 'sources.list.d');
  const names = existsSync(folder) ? (await readdir(folder)).sort() : [];
  const files = [join(etcApt, 'sources.list'), ...names.map(name => join(folder, name))];
  const sources: AptSource[] = [];
  for (const file of files.filter(existsSync)) {
    const text = await readFile(file, 'utf8');
    if (file.endsWith('.sources')) sources.push(...parseDeb822(text));
    else if (file.endsWith('.list')) sources.push(...parseOneLine(text));
  }
  const mirror = debianMirror(sources);
  return mirror && { uri: mirror.uri, signedBy: mirror.signedBy ?? systemKeyring() };
}

function systemKeyring(): string | undefined {
  return KEYRINGS.map(name => join('/usr/share/keyrings', name)).find(existsSync);
}
