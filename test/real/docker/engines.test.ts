import { beforeAll, describe } from 'vitest';
import { buildxVersion } from '../../../src/system/buildx.ts';
import { connectDocker } from '../../../src/system/docker.ts';
import { importBase } from '../../support/docker-images.ts';
import { engineTests } from '../../support/engine-suite.ts';
import { missingPart, run } from '../../support/parts.ts';

/** Both engines on the Docker of this machine, against builds that really run. */
const missing = await missingPart('Docker', () => run(['docker', 'info']));
const buildx = missing === undefined ? await buildxVersion() : undefined;
if (missing === undefined && buildx === undefined) {
  process.stderr.write(
    'skipped, docker buildx is optional here: CILIUMSHIP_TEST_ALL=1 brings its own\n',
  );
}

beforeAll(async () => {
  if (missing === undefined) await importBase();
}, 120_000);

describe.skipIf(missing !== undefined)('Docker', () => {
  engineTests('docker-api', "the machine's Docker", () => connectDocker());
});

describe.skipIf(buildx === undefined)('docker buildx', () => {
  engineTests('buildx', "the machine's Docker", () => connectDocker());
});
