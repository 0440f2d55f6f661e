import { beforeAll, describe } from 'vitest';
import { connectDocker } from '../../src/system/docker.ts';
import { importBase } from '../support/docker-images.ts';
import { exporterTests } from '../support/exporter-suite.ts';
import { fakeLayouts, fakeSaves } from '../support/fake-exports.ts';
import { missingPart, run } from '../support/parts.ts';
import { realSaves } from '../support/real-exports.ts';

/** What every exporter does; test/real/docker/docker28.test.ts holds buildx to the same. */
const missing = await missingPart('Docker', () => run(['docker', 'info']));

exporterTests('docker save of the fake', fakeSaves);
exporterTests('layouts of the fake', fakeLayouts);

describe.skipIf(missing !== undefined)('real', () => {
  beforeAll(async () => importBase());
  exporterTests('docker save of this machine’s Docker', async () =>
    realSaves(await connectDocker()),
  );
});
