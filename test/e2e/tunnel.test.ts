import { beforeAll, describe, expect, it } from 'vitest';
import { ciliumship } from '../support/cli.ts';
import { labEnvironment, requireLab } from '../support/lab.ts';
import { missingPart } from '../support/parts.ts';

const missing = await missingPart('the lab', requireLab);
const env: NodeJS.ProcessEnv = { ...labEnvironment(), KUBECONFIG: undefined };

describe.skipIf(missing !== undefined)('without a kubeconfig of the user', () => {
  beforeAll(async () => {
    const ended = await ciliumship(['ship'], { env });
    expect(ended.code, ended.stderr).toBe(0);
  });

  it('status reaches the cluster through a tunnel to the server node', async () => {
    const ended = await ciliumship(['status'], { env });
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stdout).toContain('worker');
  });

  it('Helm goes through the tunnel too', async () => {
    const ended = await ciliumship(['deploy', '--dry-run'], { env });
    expect(ended.code, ended.stderr).toBe(0);
  });

  it('one agent node is enough to name: the server is reached by itself', async () => {
    const ended = await ciliumship(['validate', '--nodes', 'worker'], { env });
    expect(ended.code, ended.stderr).toBe(0);
  });
});
