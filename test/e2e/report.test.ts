import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, describe, expect, it } from 'vitest';
import { ciliumship } from '../support/cli.ts';
import { labEnvironment, nodeNamed, onNode, requireLab } from '../support/lab.ts';
import { missingPart } from '../support/parts.ts';

const missing = await missingPart('the lab', requireLab);
const PASSWORD = 'canary-in-the-environment';
const env = { ...labEnvironment(), KUBECONFIG: undefined, MY_REGISTRY_PASSWORD: PASSWORD };
/** Beside the logs of a pod that lives: the kubelet removes what belongs to none, once a minute. */
const LOG = '$(ls -td /var/log/pods/kube-system_cilium-envoy-* | head -n 1)/canary.log';

describe.skipIf(missing !== undefined)('report', () => {
  const worker = nodeNamed('worker');
  afterAll(() => onNode(worker, 'sh', '-c', `rm -f ${LOG}`));

  it('D9: shows both nodes and the cluster, and no secret that one of their logs holds', async () => {
    const master = nodeNamed('master');
    const kubeconfig = await onNode(master, 'cat', '/etc/rancher/k3s/k3s.yaml');
    const key = /client-key-data: *(\S+?)[ }\n]/.exec(kubeconfig)?.[1] ?? '';
    const token = (await onNode(master, 'cat', '/var/lib/rancher/k3s/server/node-token')).trim();
    const secrets = [key, token, PASSWORD];
    expect(secrets.every((secret) => secret.length > 20)).toBe(true);
    const line = `seen: ${secrets.join(' ')} ${Buffer.from(PASSWORD).toString('hex')} the end`;
    await onNode(worker, 'sh', '-c', `echo '${line}' > "${LOG}"`);
    const file = join(mkdtempSync(join(tmpdir(), 'ciliumship-e2e-')), 'report.tgz');
    const ended = await ciliumship(['report', file], { env });
    expect(ended.code, ended.stderr).toBe(0);
    const { stdout: names } = await execa('tar', ['-tzf', file]);
    for (const node of ['master', 'worker']) expect(names).toContain(`nodes/${node}/health.json`);
    expect(names).toContain('doctor.json');
    const { stdout: all } = await execa('tar', ['-xzOf', file]);
    expect(all).toContain('seen: [hidden] [hidden] [hidden] [hidden] the end');
    for (const secret of secrets) expect(all.includes(secret)).toBe(false);
  });
});
