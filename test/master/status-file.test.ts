import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openStatusFile } from '../../src/master/status-file.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'status-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('the status file', () => {
  it('says at once that nothing is synced, whatever an earlier run left', async () => {
    const path = join(folder, 'status.json');
    writeFileSync(path, '{"generation": 7, "synced": true}');
    await openStatusFile(path);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ generation: 0, synced: false, rows: {} });
  });

  it('that cannot be written is an error with its name, and leaves nothing behind', async () => {
    const path = join(folder, 'status.json');
    mkdirSync(path);
    await expect(openStatusFile(path)).rejects.toThrow(`the status file ${path} cannot be written`);
    expect(readdirSync(folder)).toEqual(['status.json']);
    await expect(openStatusFile(join(folder, 'nowhere', 'status.json'))).rejects.toThrow('cannot be written');
  });

  it('is tried again with the next status', async () => {
    const path = join(folder, 'status.json');
    const file = await openStatusFile(path);
    const status = JSON.parse(readFileSync(path, 'utf8'));
    rmSync(path);
    mkdirSync(path);
    await expect(file?.update({ ...status, generation: 1 })).rejects.toThrow();
    rmSync(path, { recursive: true });
    await file?.update({ ...status, generation: 1 });
    expect(JSON.parse(readFileSync(path, 'utf8')).generation).toBe(1);
  });
});
