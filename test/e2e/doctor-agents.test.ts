import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TAG } from '../../lab/settings.ts';
import { SSH_CONFIG } from '../../lab/ssh.ts';
import { changedValues } from '../support/agents.ts';
import { ciliumship } from '../support/cli.ts';
import { commandOf, look, statesOf, type Found } from '../support/found.ts';
import {
  apply,
  changedConfig,
  kubectl,
  labEnvironment,
  nodeNamed,
  onNode,
  requireLab,
} from '../support/lab.ts';
import { missingPart, onlyInAll, until } from '../support/parts.ts';

/** What can be wrong with agents, operator and machines while all else of a cluster works. */

const missing = await missingPart('the lab', requireLab);
const tooLong = onlyInAll('agents or K3s are started anew, half a minute each');
const env = labEnvironment();
const worker = nodeNamed('worker');
const sh = (script: string): Promise<string> => onNode(worker, 'sh', '-c', script);
const proof = (found: Found, id: string): string =>
  `${found.get(id)?.state}: ${found.get(id)?.proof}`;

const STRANGE = 'quay.io/cilium/operator-generic:v1.19.0';
const OPERATOR = `quay.io/cilium/operator-generic:${TAG}`;
const IDS = ['E5', 'E9', 'K4', 'N9'] as const;
const SYSTEM = ['-n', 'kube-system'] as const;

const PIN = `/sys/fs/bpf/cilium/devices/${worker.dataInterface}/links/cil_xdp_entry`;
const ID = (key: 'id' | 'prog_id'): string =>
  `$(bpftool -j link show pinned ${PIN} | grep -o '"${key}":[0-9]*' | head -n 1 | cut -d : -f 2)`;
/** Takes the XDP program off under its agent, as a driver does that is set anew (E9). */
const DETACH = `bpftool link detach id ${ID('id')}`;
/** What Cilium asks of the driver with \`native\`. */
const ATTACH = `bpftool net attach xdpdrv id ${ID('prog_id')} dev doctor0`;

const CNI = '/etc/cni/net.d/00-flannel.conflist';
/** As Flannel leaves it; its plugin is gone with it. */
const FLANNEL = '{"name":"cbr0","cniVersion":"0.3.1","plugins":[{"type":"flannel"}]}';
const POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'doctor-network', namespace: 'default' },
  spec: {
    nodeName: 'worker',
    terminationGracePeriodSeconds: 0,
    tolerations: [{ operator: 'Exists' }],
    containers: [
      { name: 'pause', image: 'docker.io/rancher/mirrored-pause:3.6', imagePullPolicy: 'Never' },
    ],
  },
};

async function tidy(): Promise<void> {
  await sh(
    `rm -f /usr/local/bin/date ${CNI}; ip link delete doctor0 2>/dev/null; pkill -CONT -x cilium-agent; true`,
  );
}

/** Runs the command that doctor names, where it is one of kubectl. */
async function kubectlAsSaid(found: Found, id: string): Promise<string> {
  const [program, ...args] = commandOf(found, id).split(' ');
  expect(program).toBe('kubectl');
  return kubectl(...args);
}

async function lookUntil(what: string, ids: readonly string[], state: string): Promise<Found> {
  let seen: Found = new Map();
  const wanted = ids.map((id) => `${id} ${state}`).toSorted();
  const found = until(what, 60, async () => {
    seen = await look(ids, env);
    return statesOf(seen).join() === wanted.join() ? seen : undefined;
  });
  return found.catch((cause: unknown) => {
    const shown = [...seen.values()].map((each) => `${each.id} ${each.state}: ${each.proof}`);
    throw new Error(`${what}: ${shown.join('\n')}`, { cause });
  });
}

const deployOver = async (...more: readonly string[]): Promise<void> => {
  const deployed = await ciliumship(['deploy', '--force-conflicts', ...more], { env });
  expect(deployed.code, deployed.stderr).toBe(0);
};

const patchConfig = (data: Readonly<Record<string, string>>): Promise<string> =>
  kubectl(
    ...SYSTEM,
    ...['patch', 'configmap', 'cilium-config', '--type=merge'],
    ...['-p', JSON.stringify({ data })],
  );

describe.skipIf(missing !== undefined)('doctor, of a cluster whose parts are wrong', () => {
  beforeAll(async () => {
    const ended = await ciliumship(['ship'], { env });
    expect(ended.code, ended.stderr).toBe(0);
  });
  afterAll(async () => {
    if (missing !== undefined) return;
    await tidy();
    await ciliumship(['ship', '--force-conflicts'], { env });
  });

  it('E5, E9, K4, N9: sees each, and nothing once its own commands were run', async () => {
    await sh(DETACH);
    const image = `cilium-operator=${STRANGE}`;
    await kubectl(...SYSTEM, 'set', 'image', 'deployment/cilium-operator', image);
    // Nodes in containers share the clock of the machine: what it says stands in for a clock.
    await sh(
      `printf '#!/bin/sh\\nexec /bin/date -d "+1 minute" "$@"\\n' > /usr/local/bin/date; chmod 0755 /usr/local/bin/date`,
    );
    const found = await lookUntil('the strange operator waits', IDS, 'found');
    expect(proof(found, 'E5')).toMatch(/found: cilium-operator-\S+ on \w+: ErrImageNeverPull/);
    expect(proof(found, 'E9')).toBe('found: eth1 has no XDP program');
    expect(proof(found, 'K4')).toContain(STRANGE);
    expect(proof(found, 'N9')).toMatch(/found: \d+ s ahead of ours/);

    expect(await kubectlAsSaid(found, 'E5')).toContain(`"${STRANGE}" is not present`);
    expect(commandOf(found, 'E9')).toBe(
      'kubectl -n kube-system delete pod -l k8s-app=cilium --field-selector spec.nodeName=worker',
    );
    await kubectlAsSaid(found, 'E9');
    expect(commandOf(found, 'K4')).toBe('ciliumship deploy');
    await deployOver();
    await tidy();
    await lookUntil('all of it is gone', IDS, 'ok');
  });

  it.skipIf(tooLong !== undefined)(
    'E3, E4: sees an MTU that no agent has taken yet, and one above that of the interface',
    async () => {
      await patchConfig({ mtu: '1600' });
      const set = await lookUntil('the setting is seen', ['E4'], 'found');
      expect(proof(set, 'E4')).toMatch(
        /^found: 1600 is set, cilium_vxlan has 1400 on master, 1400/,
      );
      await kubectlAsSaid(set, 'E4');
      await lookUntil('agents have taken it', ['E4'], 'ok');
      const large = await lookUntil('it is too large', ['E3'], 'found');
      expect(proof(large, 'E3')).toMatch(/^found: cilium_vxlan 1600, eth[01] 1500$/);
      expect(commandOf(large, 'E3')).toBe('ciliumship deploy');
      await deployOver();
      await lookUntil('it fits again', ['E3', 'E4'], 'ok');
    },
  );

  it('E16, E18: sees what agents would be given, and nothing once the values were deployed', async () => {
    const ids = ['E16', 'E18'] as const;
    await patchConfig({
      'bpf-lb-acceleration': 'generic',
      // What the chart sets where the values set nothing: it holds the network of the nodes.
      'cluster-pool-ipv4-cidr': '10.0.0.0/8',
    });
    const found = await lookUntil('the settings are seen', ids, 'found');
    await deployOver();
    expect(proof(found, 'E16')).toContain('generic');
    expect(proof(found, 'E18')).toMatch(/found: 10\.0\.0\.0\/8 and 10\.\S+ of \w+/);
    for (const id of ids) expect(commandOf(found, id)).toBe('ciliumship deploy');
    await lookUntil('all of it is gone', ids, 'ok');
  });

  it.skipIf(tooLong !== undefined)(
    'E10, E11: sees devices that match nothing, and nothing once names were deployed',
    async () => {
      const ids = ['E10', 'E11'] as const;
      await patchConfig({ devices: '40:a6:b7:41:09:60 10.4.100.0/16' });
      const found = await lookUntil('the devices are seen', ids, 'found');
      expect(proof(found, 'E10')).toBe('found: devices: 40:a6:b7:41:09:60');
      expect(proof(found, 'E11')).toBe('found: devices: 10.4.100.0/16');
      for (const id of ids) expect(commandOf(found, id)).toBe('ciliumship deploy');
      // The chart sets the key only where the values do.
      await deployOver(
        '--values',
        changedValues((text) => `${text}devices: [eth0, eth1]\n`),
      );
      await lookUntil('all of it is gone', ids, 'ok');
      await deployOver();
    },
  );

  it('K3: sees an operator that runs other bytes than its name leads to', async () => {
    await kubectl(
      ...SYSTEM,
      ...['set', 'image', 'deployment/cilium-operator', `cilium-operator=${OPERATOR}`],
    );
    await kubectl(...SYSTEM, 'rollout', 'status', 'deployment/cilium-operator', '--timeout=60s');
    const path = 'jsonpath={.items[0].spec.nodeName}';
    const pod = [...SYSTEM, 'get', 'pods', '-l', 'io.cilium/app=operator', '-o', path];
    const node = nodeNamed(await kubectl(...pod));
    // As a push of another build under the same tag.
    const other = 'quay.io/cilium/hubble-relay:lab';
    await onNode(node, 'k3s', 'ctr', '-n', 'k8s.io', 'images', 'tag', '--force', other, OPERATOR);
    const found = await lookUntil('the CRI knows', ['K3'], 'found');
    expect(proof(found, 'K3')).toMatch(/found: cilium-operator-\S+ runs an earlier /);
    expect(commandOf(found, 'K3')).toBe('ciliumship deploy');
    await deployOver();
    await lookUntil('it runs what was built', ['K3'], 'ok');
    expect((await ciliumship(['push', '--no-build'], { env })).code).toBe(0);
  });

  it('E14: mends a node where the file of a CNI that is gone keeps pods from starting', async () => {
    // An agent that works would put the file aside itself.
    await sh(`pkill -STOP -x cilium-agent; echo '${FLANNEL}' > ${CNI}`);
    await apply(POD);
    try {
      const said = await until('the pod fails', 60, async () => {
        const events = ['get', 'events', '--field-selector', 'reason=FailedCreatePodSandBox'];
        const text = await kubectl(
          '-n',
          'default',
          ...events,
          '-o',
          'jsonpath={.items[*].message}',
        );
        return /failed to find plugin "flannel"/.test(text) ? text : undefined;
      });
      expect((await ciliumship(['doctor', '--match', said], { env })).stdout).toMatch(/^E14 /);
      const found = await look(['E14'], env);
      expect(proof(found, 'E14')).toBe('found: 00-flannel.conflist beside Cilium’s');
      const fixed = await ciliumship(['doctor', '--fix', 'E14', '--nodes', 'worker'], { env });
      expect(fixed.code, fixed.stderr).toBe(0);
      await sh('pkill -CONT -x cilium-agent');
      const phase = ['get', 'pod', 'doctor-network', '-o', 'jsonpath={.status.phase}'];
      await until('the pod runs', 90, async () => (await kubectl(...phase)) === 'Running');
      await lookUntil('it is gone', ['E14'], 'ok');
    } finally {
      await kubectl('delete', 'pod', 'doctor-network', '--grace-period=0', '--wait=false');
      await kubectl('-n', 'default', 'delete', 'events', '--all');
    }
  });

  it.skipIf(tooLong !== undefined)(
    'N8: sees a certificate that ends soon, and nothing once K3s was started again',
    async () => {
      const tls = '/var/lib/rancher/k3s/server/tls';
      const name = `${tls}/client-scheduler`;
      await onNode(
        nodeNamed('master'),
        'sh',
        '-c',
        `openssl x509 -req -in ${name}.csr -CA ${tls}/ca.crt -CAkey ${tls}/ca.key -days 5 -extfile ${name}.ext -out ${name}.crt`,
      );
      const found = await lookUntil('it is seen', ['N8'], 'found');
      expect(proof(found, 'N8')).toBe('found: CN=system:kube-scheduler has 4 days');
      const [program, ...args] = commandOf(found, 'N8').split(' ');
      expect([program, ...args].join(' ')).toBe('ssh master sudo systemctl restart k3s');
      await execa('ssh', ['-F', SSH_CONFIG, ...args]);
      await until('the API server answers', 90, () =>
        kubectl('get', '--raw', '/readyz').catch(() => undefined),
      );
      await lookUntil('it was made anew', ['N8', 'E5'], 'ok');
    },
  );

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

  it('E5: sees an operator that has no pod, and nothing once its own commands were run', async () => {
    await kubectl(...SYSTEM, 'scale', 'deployment/cilium-operator', '--replicas=0');
    const found = await lookUntil('it is gone', ['E5'], 'found');
    expect(proof(found, 'E5')).toBe('found: it has no pod');
    expect(await kubectlAsSaid(found, 'E5')).toContain('0 desired');
    await deployOver();
    await lookUntil('it is back', ['E5'], 'ok');
  });
});
