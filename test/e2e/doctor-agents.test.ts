import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ciliumship } from '../support/cli.ts';
import { commandOf, look, statesOf, type Found } from '../support/found.ts';
import {
  changedConfig,
  kubectl,
  labEnvironment,
  nodeNamed,
  onNode,
  requireLab,
} from '../support/lab.ts';
import { missingPart, until } from '../support/parts.ts';

/** What can be wrong with agents, operator and machines while all else of a cluster works. */

const missing = await missingPart('the lab', requireLab);
const env = labEnvironment();
const worker = nodeNamed('worker');
const sh = (script: string): Promise<string> => onNode(worker, 'sh', '-c', script);
const proof = (found: Found, id: string): string =>
  `${found.get(id)?.state}: ${found.get(id)?.proof}`;

const CERTIFICATE = '/var/lib/rancher/k3s/agent/doctor.crt';
const STRANGE = 'quay.io/cilium/operator-generic:v1.19.0';
const IDS = ['E3', 'E9', 'K4', 'N8', 'N9'] as const;

const PIN = `/sys/fs/bpf/cilium/devices/${worker.dataInterface}/links/cil_xdp_entry`;
const ID = (key: 'id' | 'prog_id'): string =>
  `$(bpftool -j link show pinned ${PIN} | grep -o '"${key}":[0-9]*' | head -n 1 | cut -d : -f 2)`;
/** Takes the XDP program off under its agent, as a driver does that is set anew (E9). */
const DETACH = `bpftool link detach id ${ID('id')}`;
/** What Cilium asks of the driver with \`native\`. */
const ATTACH = `bpftool net attach xdpdrv id ${ID('prog_id')} dev doctor0`;

async function tidy(): Promise<void> {
  await sh(`rm -f ${CERTIFICATE} /usr/local/bin/date; ip link delete doctor0 2>/dev/null; true`);
}

describe.skipIf(missing !== undefined)('doctor, of a cluster whose parts are wrong', () => {
  beforeAll(async () => {
    const ended = await ciliumship(['ship'], { env });
    expect(ended.code, ended.stderr).toBe(0);
  });
  afterAll(async () => {
    if (missing === undefined) await tidy();
  });

  it('E3, E9, K4, N8, N9: sees each, and nothing once its own commands were run', async () => {
    const before = await sh('cat /sys/class/net/cilium_vxlan/mtu');
    await sh('ip link set dev cilium_vxlan mtu 1600');
    await sh(DETACH);
    const image = `cilium-operator=${STRANGE}`;
    await kubectl('-n', 'kube-system', 'set', 'image', 'deployment/cilium-operator', image);
    await sh(
      `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 5 -keyout /dev/null -out ${CERTIFICATE} -subj /CN=doctor`,
    );
    // Nodes in containers share the clock of the machine: what it says stands in for a clock.
    await sh(
      `printf '#!/bin/sh\\nexec /bin/date -d "+1 minute" "$@"\\n' > /usr/local/bin/date; chmod 0755 /usr/local/bin/date`,
    );
    const found = await until('the strange operator has a pod', 30, async () => {
      const seen = await look(IDS, env);
      return seen.get('K4')?.state === 'found' ? seen : undefined;
    });
    expect(statesOf(found)).toEqual(IDS.map((id) => `${id} found`));
    expect(proof(found, 'E3')).toBe('found: cilium_vxlan 1600, eth1 1500');
    expect(proof(found, 'E9')).toBe('found: eth1 has no XDP program');
    expect(proof(found, 'K4')).toContain(STRANGE);
    expect(proof(found, 'N8')).toMatch(/found: .*doctor has 4 days/);
    expect(proof(found, 'N9')).toMatch(/found: \d+ s ahead of ours/);

    expect(commandOf(found, 'E9')).toBe(
      'kubectl -n kube-system delete pod -l k8s-app=cilium --field-selector spec.nodeName=worker',
    );
    await kubectl(...commandOf(found, 'E9').split(' ').slice(1));
    expect(commandOf(found, 'K4')).toBe('ciliumship deploy');
    const deployed = await ciliumship(['deploy', '--force-conflicts'], { env });
    expect(deployed.code, deployed.stderr).toBe(0);
    await sh(`ip link set dev cilium_vxlan mtu ${before}`);
    // The lab's K3s renews no certificates at a restart, as the real one does.
    await tidy();
    const clear = await until('all of it is gone', 60, async () => {
      const seen = await look(IDS, env);
      return statesOf(seen).some((state) => state.endsWith(' found')) ? undefined : seen;
    });
    expect(statesOf(clear)).toEqual(IDS.map((id) => `${id} ok`));
  });

  it('E15: sees a device whose driver has no native XDP, as the kernel says too', async () => {
    await sh('ip link add doctor0 type bridge');
    const said = await sh(ATTACH).catch(String);
    expect(said).toContain('Operation not supported');
    expect((await ciliumship(['doctor', '--match', said], { env })).stdout).toContain('E15 ');
    const config = changedConfig((text) =>
      text.replace('dataInterface: eth1', 'dataInterface: eth1, devices: [eth1, doctor0]'),
    );
    const found = await look(['E15'], labEnvironment(config));
    expect(proof(found, 'E15')).toBe('found: doctor0 is bridge');
    expect(statesOf(await look(['E15'], env))).toEqual(['E15 ok']);
  });

  it('E5: sees an operator that has no pod, and nothing once it is back', async () => {
    const scale = (count: number): Promise<string> =>
      kubectl('-n', 'kube-system', 'scale', 'deployment/cilium-operator', `--replicas=${count}`);
    await scale(0);
    const found = await until('it is gone', 30, async () => {
      const seen = await look(['E5'], env);
      return seen.get('E5')?.state === 'found' ? seen : undefined;
    });
    expect(proof(found, 'E5')).toBe('found: it has no pod');
    await scale(1);
    await until('it is back', 60, async () => statesOf(await look(['E5'], env)).includes('E5 ok'));
  });
});
