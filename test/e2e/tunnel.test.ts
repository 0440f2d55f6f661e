import { beforeAll, describe, expect, it } from 'vitest';
import { ciliumship } from '../support/cli.ts';
import { helms } from '../support/helms.ts';
import { requireLab } from '../support/lab.ts';
import { missingPart } from '../support/parts.ts';

const missing = await missingPart('the lab', requireLab);

describe.skipIf(missing !== undefined).each(helms())(
  'without a kubeconfig of the user, with $name',
  (helm) => {
    const env: NodeJS.ProcessEnv = { ...helm.env, KUBECONFIG: undefined };

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
  },
);
