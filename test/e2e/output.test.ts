import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ciliumship } from '../support/cli.ts';
import { labEnvironment, requireLab } from '../support/lab.ts';
import { missingPart, onlyInAll } from '../support/parts.ts';

const missing =
  onlyInAll('twenty commands, for half a minute') ?? (await missingPart('the lab', requireLab));
const PAGE = resolve(import.meta.dirname, '../../docs/output.md');
const scratch = mkdtempSync(join(tmpdir(), 'ciliumship-e2e-'));

/** Command of the page → what is typed for it; the others change too much to be asked here. */
const TYPED: Readonly<Record<string, readonly string[]>> = {
  save: ['save', join(scratch, 'images.tar'), '--no-build', '--dry-run'],
  push: ['push', '--no-build'],
  deploy: ['deploy'],
  explain: ['explain', 'E5'],
  'cni status': ['cni', 'status'],
  report: ['report', join(scratch, 'report.tgz'), '--local', '--dry-run'],
};
const LEFT_OUT = new Set(['build', 'ship']);

/** Command → the paths that the page promises. */
function promised(): ReadonlyMap<string, readonly string[]> {
  const rows = readFileSync(PAGE, 'utf8').matchAll(/^\| `([a-z ]+)` \| (.*) \|$/gm);
  return new Map(
    [...rows].map(([, command = '', cell = '']) => [
      command,
      [...cell.matchAll(/`([\w.[\]]+)`/g)].map(([, path = '']) => path),
    ]),
  );
}

/** Whether a value has a path such as `nodes[].images[].pinned` in one of its elements. */
function has(value: unknown, path: readonly string[]): boolean {
  const [step, ...rest] = path;
  if (step === undefined) return true;
  if (step === '[]') return Array.isArray(value) && value.some((item) => has(item, rest));
  if (typeof value !== 'object' || value === null || !(step in value)) return false;
  return has((value as Readonly<Record<string, unknown>>)[step], rest);
}

describe.skipIf(missing !== undefined)('docs/output.md', () => {
  const env = labEnvironment();
  const rows = [...promised()].filter(([command]) => !LEFT_OUT.has(command));
  beforeAll(async () => {
    const shipped = await ciliumship(['ship', '-o', 'json'], { env });
    expect(shipped.code, shipped.stderr).toBe(0);
    const paths = ['source', 'images', 'nodes', 'deploy', 'checks'];
    for (const path of paths) expect(has(shipped.json(), [path]), path).toBe(true);
  });

  it('says something of every command that a script would ask', () => {
    expect(rows.length).toBeGreaterThan(14);
  });

  it.each(rows)('tells what %s prints', async (command, paths) => {
    const words = TYPED[command] ?? [command];
    const ended = await ciliumship([...words, '-o', 'json'], { env });
    expect([0, 3], ended.stderr).toContain(ended.code);
    const found = ended.json();
    const absent = paths.filter((path) => !has(found, path.split(/\.|(?=\[\])/).filter(Boolean)));
    expect(absent).toEqual([]);
    expect(paths.length).toBeGreaterThan(2);
  });
});
