import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ManifestSource } from '../../src/cluster/manifest-source.ts';
import { loadConfig } from '../../src/config/index.ts';
import { Translation } from '../../src/master/translation.ts';
import { readNorthboundSchema, rowsAsText, rowsAsTransaction } from '../../src/northbound/index.ts';

/**
 * A case is a folder: `in.yaml` is what a user applies, `config.yaml` how the master is configured (optional), and
 * `rows.txt` what must come of it: the rows, and the words about what was left out. A reviewer reads the difference of
 * rows.txt. `UPDATE_GOLDEN=1` writes it anew.
 */
const folder = join(__dirname, 'cases');

async function translate(
  name: string,
): Promise<{ readonly text: string; readonly translation: Translation }> {
  const config = join(folder, name, 'config.yaml');
  const translation = new Translation(loadConfig(existsSync(config) ? config : undefined));
  const { objects, problems } = await new ManifestSource({ paths: [join(folder, name, 'in.yaml')] }).read();
  translation.apply({ put: objects, deleted: [] });
  const words = [
    ...[...problems, ...translation.refused()].map(({ object, reason }) => `refused: ${object}: ${reason}`),
    ...translation.unenforced().map(object => `not enforced: ${object}`),
    ...Object.entries(translation.ignored()).map(([kind, count]) => `ignored: ${count} ${kind}`),
    ...(translation.pending() > 0 ? [`pending: ${translation.pending()}`] : []),
  ].map(line => line.replaceAll(folder, '.'));
  return { text: [rowsAsText(translation.wish), ...words, ''].join('\n'), translation };
}

describe('golden cases', () => {
  it.each(readdirSync(folder))('%s', async name => {
    const { text } = await translate(name);
    const golden = join(folder, name, 'rows.txt');
    if (process.env.UPDATE_GOLDEN) writeFileSync(golden, text);
    expect(text).toBe(readFileSync(golden, 'utf8'));
  });

  it.each(readdirSync(folder))('%s fits the schema, the same bytes each time', async name => {
    const schema = readNorthboundSchema();
    const once = JSON.stringify(
      rowsAsTransaction((await translate(name)).translation.wish, schema, 'default'),
    );
    const again = JSON.stringify(
      rowsAsTransaction((await translate(name)).translation.wish, schema, 'default'),
    );
    expect(again).toBe(once);
  });
});
