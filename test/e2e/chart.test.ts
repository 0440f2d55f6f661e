import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { tmpdir } from 'node:os';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TREE } from '../../lab/files.ts';
import { STATE } from '../../lab/settings.ts';
import { ciliumship } from '../support/cli.ts';
import { changedConfig, labEnvironment, requireLab } from '../support/lab.ts';
import { missingPart } from '../support/parts.ts';

const missing = await missingPart('the lab', requireLab);

describe.skipIf(missing !== undefined)('a chart from a repository', () => {
  let server: Server;
  let address: string;

  /** The environment of a config that names this version of the chart. */
  const wanting = (version: string): NodeJS.ProcessEnv => {
    const lines = ['chart: cilium', `chartRepo: ${address}`, `chartVersion: ${version}`];
    return labEnvironment(
      changedConfig((text) => text.replace('deploy:', `deploy:\n  ${lines.join('\n  ')}`)),
    );
  };

  beforeAll(async () => {
    const ended = await ciliumship(['ship'], { env: labEnvironment() });
    expect(ended.code, ended.stderr).toBe(0);
    const folder = mkdtempSync(join(tmpdir(), 'ciliumship-repository-'));
    const helm = join(STATE, 'bin', 'helm3');
    await execa(helm, ['package', join(TREE, 'install/kubernetes/cilium'), '-d', folder]);
    await execa(helm, ['repo', 'index', folder]);
    server = createServer((request, response) => {
      response.end(readFileSync(join(folder, basename(request.url ?? ''))));
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => void server?.close());

  it('is deployed as the same chart in a folder would be', async () => {
    const ended = await ciliumship(['deploy', '-o', 'json'], { env: wanting('1.19.0-dev') });
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toContain('chart cilium 1.19.0-dev');
    expect(ended.json()).toMatchObject({ state: 'nothing to do' });
  });

  it('of another version is never taken instead', async () => {
    const ended = await ciliumship(['deploy'], { env: wanting('1.18.0') });
    expect(ended.code, ended.stderr).toBe(2);
    expect(ended.stderr).toContain('helm cannot fetch chart cilium 1.18.0');
  });
});
