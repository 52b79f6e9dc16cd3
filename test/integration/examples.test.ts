import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { kubeNorthbound } from '../support/master-process.ts';

const folder = join(__dirname, '../../examples/first-light');

it('the example says the same as a folder and as one stream', async () => {
  const files = readdirSync(folder).map(file => readFileSync(join(folder, file), 'utf8'));
  const [asFolder, asStream] = await Promise.all([
    kubeNorthbound(['translate', '-f', folder]),
    kubeNorthbound(['translate', '-f', '-'], files.join('')),
  ]);
  expect(asStream).toEqual(asFolder);
  expect(asFolder).toMatchObject({ code: 0, stderr: '' });
  expect(asFolder.stdout).toContain('Logical_Switch_Port shop-frontend_web-1');
});
