import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { STATE } from '../../lab/settings.ts';
import { ciliumship } from '../support/cli.ts';
import { asGoSays } from '../support/go-modules.ts';
import { labEnvironment, requireLab } from '../support/lab.ts';
import { missingPart, onlyInAll, run } from '../support/parts.ts';

const missing =
  onlyInAll('a push with its lists, for twenty seconds') ??
  (await missingPart('the lab', requireLab));
const noGo = await missingPart('Go', () => run(['go', 'version']));
const FOLDER = join(STATE, 'ciliumship.sbom');

interface Package {
  readonly name: string;
  readonly versionInfo: string;
  readonly sourceInfo?: string;
  readonly externalRefs: readonly { readonly referenceLocator: string }[];
}

interface Document {
  readonly name: string;
  readonly packages: readonly Package[];
}

function documentOf(file: string): Document {
  return JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Document;
}

/** `NAME VERSION` of what is said to come from a file of the image. */
function foundIn({ packages }: Document, path: string): readonly string[] {
  return packages
    .filter(({ sourceInfo = '' }) =>
      sourceInfo.slice('found in '.length).split(', ').includes(path),
    )
    .map(({ name, versionInfo }) => `${name} ${versionInfo}`)
    .toSorted();
}

/** The programs of an image that are said to be of Go, copied out of it. */
async function programsOf(
  document: Document,
): Promise<readonly (readonly [path: string, copy: string])[]> {
  const sources = document.packages.flatMap(({ sourceInfo = '', externalRefs }) =>
    externalRefs[0]?.referenceLocator.startsWith('pkg:golang/') === true ? [sourceInfo] : [],
  );
  const paths = new Set(sources.flatMap((text) => text.slice('found in '.length).split(', ')));
  const folder = mkdtempSync(join(tmpdir(), 'ciliumship-e2e-'));
  const container = await run(['docker', 'create', document.name]);
  onTestFinished(async () => {
    rmSync(folder, { recursive: true });
    await run(['docker', 'rm', container]);
  });
  return Promise.all(
    [...paths].map(async (path, at) => {
      const copy = join(folder, String(at));
      await run(['docker', 'cp', '--follow-link', `${container}:${path}`, copy]);
      return [path, copy] as const;
    }),
  );
}

describe.skipIf(missing !== undefined)('what images are made of', () => {
  beforeAll(async () => {
    rmSync(FOLDER, { recursive: true, force: true });
    const ended = await ciliumship(['push', '--sbom'], { env: labEnvironment() });
    expect(ended.code, ended.stderr).toBe(0);
  });

  it('is written for each image that was pushed, beside the lock', () => {
    const lock = readFileSync(join(STATE, 'ciliumship.lock'), 'utf8');
    const names = readdirSync(FOLDER).map((file) => documentOf(file).name);
    expect(names.length).toBeGreaterThan(2);
    for (const name of names) expect(lock).toContain(name);
  });

  it('is every package that dpkg itself lists in the agent’s image, and no other', async () => {
    const document = documentOf('cilium.spdx.json');
    const list = ['--entrypoint', 'dpkg-query', document.name, '-W', '-f'];
    const listed = await run(['docker', 'run', '--rm', ...list, '${Package} ${Version}\\n']);
    const wanted = listed.split('\n').toSorted();
    expect(wanted.length).toBeGreaterThan(50);
    expect(foundIn(document, '/var/lib/dpkg/status')).toEqual(wanted);
  });

  it.skipIf(noGo !== undefined).each(['cilium.spdx.json', 'operator-generic.spdx.json'])(
    'is every module that Go itself says of the programs in %s',
    async (file) => {
      const document = documentOf(file);
      const programs = await programsOf(document);
      expect(programs.length).toBeGreaterThan(0);
      for (const [path, copy] of programs) {
        const wanted = new Set(await asGoSays(copy));
        expect(foundIn(document, path), path).toEqual([...wanted].toSorted());
      }
    },
  );
});
