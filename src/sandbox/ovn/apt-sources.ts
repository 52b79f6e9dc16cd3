/** One place that apt takes packages from; sources.list(5) describes both forms. */
export interface AptSource {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** The keyring, or undefined where apt's own trusted keys count. */
  readonly signedBy: string | undefined;
}

/** A Debian mirror and the keyring that its lists are signed by. */
export interface DebianMirror {
  readonly uri: string;
  readonly signedBy: string | undefined;
}

/** Names of Debian's releases that a machine may have; derivatives (Ubuntu, …) have others. */
const DEBIAN_SUITE =
  /^(?:buster|bullseye|bookworm|trixie|forky|sid|oldoldstable|oldstable|stable|testing|unstable)$/;

/** Reads the deb822 form (`*.sources`): stanzas of `Field: value`, values may go on in indented lines. */
export function parseDeb822(text: string): readonly AptSource[] {
  return text
    .split(/\n[ \t]*\n/)
    .map(stanzaFields)
    .filter(fields => words(fields.get('types')).includes('deb') && fields.get('enabled') !== 'no')
    .map(fields => ({
      uris: words(fields.get('uris')),
      suites: words(fields.get('suites')),
      components: words(fields.get('components')),
      signedBy: keyringPath(fields.get('signed-by')),
    }));
}

/** Reads the one-line form (`sources.list`, `*.list`): `deb [option=value …] URI SUITE COMPONENT…`. */
export function parseOneLine(text: string): readonly AptSource[] {
  return text.split('\n').flatMap(line => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    if (!match) return [];
    const [, options = '', uri = '', suite = '', components = ''] = match;
    const signedBy = words(options)
      .map(option => /^signed-by=(.+)$/.exec(option)?.[1])
      .find(value => value !== undefined);
    return [{ uris: [uri], suites: [suite], components: words(components), signedBy: keyringPath(signedBy) }];
  });
}

/**
 * The first source that serves Debian's own `main`: not the security archive, not another vendor's repository. Undefined
 * where there is none. Mirrors keep every current release under the same address.
 */
export function debianMirror(sources: readonly AptSource[]): DebianMirror | undefined {
  const source = sources.find(
    ({ components, suites }) => components.includes('main') && suites.some(suite => DEBIAN_SUITE.test(suite)),
  );
  const uri = source?.uris[0];
  return uri === undefined ? undefined : { uri, signedBy: source?.signedBy };
}

function stanzaFields(stanza: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  let name = '';
  for (const line of stanza.split('\n')) {
    if (line.startsWith('#')) continue;
    const match = /^([A-Za-z-]+):\s*(.*)$/.exec(line);
    if (match) {
      name = (match[1] ?? '').toLowerCase();
      fields.set(name, (match[2] ?? '').trim());
    } else if (/^\s/.test(line) && name !== '') {
      fields.set(name, `${fields.get(name) ?? ''} ${line.trim()}`.trim());
    }
  }
  return fields;
}

/** A key given in the source itself has no path; apt's own keyring of Debian is then the better choice. */
function keyringPath(value: string | undefined): string | undefined {
  return words(value)
    .find(word => word.startsWith('/'))
    ?.split(',')[0];
}

function words(value: string | undefined): readonly string[] {
  return value?.split(/\s+/).filter(word => word !== '') ?? [];
}
