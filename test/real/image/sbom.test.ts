import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readGoProgram } from '../../../src/image/sbom/go-build-info.ts';
import { asGoSays } from '../../support/go-modules.ts';
import { missingPart, run } from '../../support/parts.ts';

const missing = await missingPart('Go', () => run(['go', 'version']));
const root = missing === undefined ? await run(['go', 'env', 'GOROOT']) : '';
const programs = [join(root, 'bin/go'), '/usr/bin/docker', '/usr/bin/dockerd', '/usr/sbin/dockerd'];

it.skipIf(missing !== undefined).each(programs.filter((program) => existsSync(program)))(
  'says of %s what Go itself says',
  async (program) => {
    const found = await readGoProgram(createReadStream(program));
    expect(found?.map(({ name, version }) => `${name} ${version}`)).toEqual(
      await asGoSays(program),
    );
  },
);
