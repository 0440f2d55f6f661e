import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readGoProgram } from '../../../src/image/sbom/go-build-info.ts';
import { missingPart, run } from '../../support/parts.ts';

const missing = await missingPart('Go', () => run(['go', 'version']));
const root = missing === undefined ? await run(['go', 'env', 'GOROOT']) : '';
const programs = [join(root, 'bin/go'), '/usr/bin/docker', '/usr/bin/dockerd', '/usr/sbin/dockerd'];

/** `PATH VERSION` of every module, in the words of Go itself; what was replaced is left out. */
async function asGoSays(program: string): Promise<readonly string[]> {
  const lines = (await run(['go', 'version', '-m', program]))
    .split('\n')
    .map((line) => line.trim());
  const modules = lines.flatMap((line, at) => {
    const [kind = '', path = '', version = '(devel)'] = line.split('\t');
    const isReplaced = lines[at + 1]?.startsWith('=>\t') === true;
    return /^(mod|dep|=>)$/.test(kind) && !isReplaced ? [`${path} ${version}`] : [];
  });
  const [, compiler = ''] = /: go(\S+)/.exec(lines[0] ?? '') ?? [];
  return [`stdlib ${compiler}`, ...modules];
}

it.skipIf(missing !== undefined).each(programs.filter((program) => existsSync(program)))(
  'says of %s what Go itself says',
  async (program) => {
    const found = await readGoProgram(createReadStream(program));
    expect(found?.map(({ name, version }) => `${name} ${version}`)).toEqual(
      await asGoSays(program),
    );
  },
);
