import { gzipSync } from 'node:zlib';
import { buffer } from 'node:stream/consumers';
import { execa } from 'execa';
import { afterAll, describe, expect, it } from 'vitest';
import { pack } from 'tar-stream';
import { digestOf } from '../../../src/core/digest.ts';
import type { Run } from '../../../src/core/step.ts';
import { connectDocker } from '../../../src/system/docker.ts';
import { pullImage } from '../../../src/system/docker-pull.ts';
import { missingPart, run } from '../../support/parts.ts';
import { serveRegistry, type Artifact } from '../../support/registry.ts';

const missing = await missingPart('Docker', () => run(['docker', 'info']));
const NO_LOGINS = { helper: false, login: async () => undefined };
const PLATFORM = 'linux/amd64';
const pulled: string[] = [];

async function smallImage(): Promise<Artifact> {
  const tar = pack();
  tar.entry({ name: 'hello' }, `pulled by ${process.pid}`);
  tar.finalize();
  const layer = await buffer(tar);
  const config = {
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
  };
  return {
    name: 'pull-test/small',
    tag: '1',
    type: 'application/vnd.docker.distribution.manifest.v2+json',
    config: {
      type: 'application/vnd.docker.container.image.v1+json',
      bytes: Buffer.from(JSON.stringify(config)),
    },
    layers: [{ type: 'application/vnd.docker.image.rootfs.diff.tar.gzip', bytes: gzipSync(layer) }],
  };
}

function quiet(said: string[] = []): Run {
  const progress: Run['progress'] = (told) => void ('text' in told && said.push(told.text));
  return { signal: new AbortController().signal, progress };
}

describe.skipIf(missing !== undefined)('an image that Docker lacks', () => {
  afterAll(async () => {
    await execa('docker', ['image', 'rm', '-f', ...pulled], { reject: false });
  });

  it('is pulled by it, with progress', async () => {
    const artifact = await smallImage();
    await using registry = await serveRegistry(artifact);
    const name = `${registry.address}/${artifact.name}:1`;
    pulled.push(name);
    const docker = await connectDocker();
    const said: string[] = [];
    await pullImage(docker, { name, platform: PLATFORM }, NO_LOGINS, quiet(said));
    expect(await docker.inspect(name)).toMatchObject({ platform: PLATFORM });
    expect(said.join('\n')).toMatch(/Pull complete|Download complete/);
  });

  it('and that the registry lacks too is refused with what to do', async () => {
    await using registry = await serveRegistry(await smallImage());
    const name = `${registry.address}/pull-test/nothing:1`;
    const asked = pullImage(
      await connectDocker(),
      { name, platform: PLATFORM },
      NO_LOGINS,
      quiet(),
    );
    await expect(asked).rejects.toMatchObject({
      kind: 'build',
      message: expect.stringContaining(`Docker cannot pull ${name}`),
      hint: expect.stringContaining(`docker pull ${name}`),
    });
  });
});
