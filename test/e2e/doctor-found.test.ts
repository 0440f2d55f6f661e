import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KUBECONFIG } from '../../lab/cluster.ts';
import { STATE } from '../../lab/settings.ts';
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
import { missingPart, until } from '../support/parts.ts';

/**
 * Everything at once, each in its own corner of a cluster that works, so that one look finds all of
 * it and one more finds nothing.
 */

const missing = await missingPart('the lab', requireLab);
const env = labEnvironment();
const worker = nodeNamed('worker');
const CTR = ['k3s', 'ctr', '-n', 'k8s.io', 'images'] as const;
/** On the volume of the node: overlays want a file system that is none. */
const OTHER = '/var/lib/rancher/other-containerd';
const PAUSE = 'docker.io/rancher/mirrored-pause:3.6';
const BACKEND = 'quay.io/cilium/hubble-ui-backend:lab';
const RELAY = 'quay.io/cilium/hubble-relay:lab';
const UI = 'quay.io/cilium/hubble-ui:lab';
const PODS = ['doctor-waits', 'doctor-runs'] as const;
const OF_IMAGES = ['K1', 'K2', 'K3', 'N1', 'N2'] as const;
const OF_SETTINGS = ['E4', 'E6', 'E8', 'E10', 'E11', 'E12', 'E16', 'E17', 'E18'] as const;

const sh = (script: string): Promise<string> => onNode(worker, 'sh', '-c', script);

function pod(name: string, image: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'kube-system' },
    spec: {
      nodeName: 'worker',
      terminationGracePeriodSeconds: 0,
      containers: [{ name, image, imagePullPolicy: 'Never' }],
    },
  };
}

const namesOf = async (image: string): Promise<readonly string[]> =>
  (await onNode(worker, ...CTR, 'ls', '-q')).split('\n').filter((name) => name.startsWith(image));

/** A containerd beside that of K3s, where a bare `ctr` looks, with an image of that name. */
async function importElsewhere(image: string): Promise<void> {
  const plugins = '["io.containerd.grpc.v1.cri", "io.containerd.nri.v1.nri"]';
  await sh(
    `mkdir -p ${OTHER}; echo 'version = 2\ndisabled_plugins = ${plugins}' > ${OTHER}/config.toml;
    systemd-run --quiet --unit=other-containerd containerd --config ${OTHER}/config.toml --root ${OTHER}/root --state /run/other-containerd --address /run/containerd/containerd.sock`,
  );
  await until('the other containerd answers', 30, () =>
    sh('ctr --connect-timeout 1s version').catch(() => undefined),
  );
  await sh(`ctr images import /usr/local/share/k3s/pause.tar; ctr images tag ${PAUSE} ${image}`);
}

async function spoilImages(): Promise<void> {
  await apply(pod('doctor-runs', UI));
  await importElsewhere(BACKEND);
  await onNode(worker, ...CTR, 'rm', ...(await namesOf(BACKEND)));
  await apply(pod('doctor-waits', BACKEND));
  for (const name of await namesOf(RELAY)) {
    await onNode(worker, ...CTR, 'label', name, 'io.cri-containerd.pinned=');
  }
  const phase = [
    '-n',
    'kube-system',
    'get',
    'pod',
    'doctor-runs',
    '-o',
    'jsonpath={.status.phase}',
  ];
  await until('the pod runs', 60, async () => (await kubectl(...phase)) === 'Running');
  await onNode(worker, ...CTR, 'tag', '--force', 'quay.io/cilium/cilium-envoy:lab', UI);
}

/** A release that a Helm was taking away when it was killed: what waits for the network of the CNI does so for ever. */
async function breakOffUninstall(): Promise<void> {
  const chart = join(dirname(changedConfig((text) => text)), 'stuck');
  mkdirSync(join(chart, 'templates'), { recursive: true });
  writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: stuck\nversion: 0.1.0\n');
  writeFileSync(
    join(chart, 'templates', 'kept.yaml'),
    'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: doctor-kept, finalizers: [lab.ciliumship.dev/keep] }\n',
  );
  await helm('install', 'stuck', chart);
  const uninstall = execa(HELM, [...AT, 'uninstall', 'stuck', '--wait'], { reject: false });
  await until('Helm waits', 30, async () =>
    (await helm('status', 'stuck')).includes('uninstalling'),
  );
  uninstall.kill('SIGKILL');
  await uninstall;
}

const HELM = join(STATE, 'bin', 'helm');
const AT = ['--kubeconfig', KUBECONFIG, '-n', 'kube-system'];

async function helm(...args: readonly string[]): Promise<string> {
  return (await execa(HELM, [...AT, ...args])).stdout;
}

/** An upgrade that a Helm was making when it was killed. */
async function breakOffUpgrade(): Promise<void> {
  const chart = join(dirname(changedConfig((text) => text)), 'half');
  const template = join(chart, 'templates', 'waits.yaml');
  mkdirSync(dirname(template), { recursive: true });
  writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: half\nversion: 0.1.0\n');
  writeFileSync(template, 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: doctor-half }\n');
  await helm('install', 'half', chart);
  const waits = pod('doctor-half', 'docker.io/library/nowhere:1');
  writeFileSync(template, JSON.stringify(waits));
  const upgrade = execa(HELM, [...AT, 'upgrade', 'half', chart, '--wait'], { reject: false });
  await until('Helm waits', 30, async () =>
    (await helm('status', 'half')).includes('pending-upgrade'),
  );
  upgrade.kill('SIGKILL');
  await upgrade;
}

/** The values of the procedure with what it got wrong, for a release that is half away. */
function wrongSettings(): NodeJS.ProcessEnv {
  const own = readFileSync(join(STATE, 'cilium-values.yaml'), 'utf8');
  const config = changedConfig((text) =>
    text
      .replace('dataInterface: eth1', 'dataInterface: eth1, devices: [eth1, nocable]')
      .replace(/values: .*/, 'values: values.yaml\n  release: stuck'),
  );
  const wrong = own
    .replace(/^k8sServiceHost: .*$/m, 'k8sServiceHost: 127.0.0.1')
    .replace('MTU: 1400', 'mtu: 1400')
    .replace('acceleration: native', 'acceleration: generic');
  writeFileSync(
    join(dirname(config), 'values.yaml'),
    `${wrong}tunnel: disabled\ndevices: [40:a6:b7:41:09:60, 10.4.100.0/16]\n`,
  );
  return labEnvironment(config);
}

async function spoilMachine(): Promise<void> {
  // The other end is down: no carrier, as of a port without a cable.
  await sh('ip link add nocable type veth peer name cable; ip link set nocable up');
  await sh('ip addr add 10.200.0.1/8 dev nocable noprefixroute');
}

/** Leaves nothing of it, however far it came. */
async function tidy(): Promise<void> {
  const gone = ['--ignore-not-found', '--grace-period=0', '--wait=false'];
  await kubectl('-n', 'kube-system', 'delete', 'pod', ...PODS, ...gone);
  await sh(
    `systemctl stop other-containerd 2>/dev/null; rm -rf ${OTHER} /run/other-containerd /run/containerd/containerd.sock*; ip link delete nocable 2>/dev/null; true`,
  );
  const unkept = ['patch', 'configmap', 'doctor-kept', '--type=merge'];
  await kubectl('-n', 'kube-system', ...unkept, '-p', '{"metadata":{"finalizers":null}}').catch(
    () => undefined,
  );
  for (const release of ['stuck', 'half']) await helm('uninstall', release).catch(() => undefined);
  await ciliumship(['push', '--no-build'], { env });
}

describe.skipIf(missing !== undefined)('doctor, of a cluster with much that is wrong', () => {
  let found: Found;
  const proof = (id: string): string => `${found.get(id)?.state}: ${found.get(id)?.proof}`;

  beforeAll(async () => {
    const ended = await ciliumship(['ship'], { env });
    expect(ended.code, ended.stderr).toBe(0);
    await Promise.all([spoilImages(), breakOffUninstall(), spoilMachine()]);
    const wrong = wrongSettings();
    found = await until('all of it is seen', 60, async () => {
      const seen = await look([...OF_IMAGES, ...OF_SETTINGS], wrong);
      const states = OF_IMAGES.map((id) => seen.get(id)?.state);
      return states.every((state) => state === 'found') ? seen : undefined;
    });
  });
  afterAll(async () => {
    if (missing === undefined) await tidy();
  });

  it('K1, N2: sees a pod that waits for an image which was taken away', () => {
    expect(proof('K1')).toContain(`doctor-waits: ErrImageNeverPull ${BACKEND}`);
    expect(proof('N2')).toContain(BACKEND);
  });

  it('K2: sees an image that a bare ctr imported where K3s does not look', () => {
    expect(proof('K2')).toBe(`found: only in /run/containerd/containerd.sock: ${BACKEND}`);
  });

  it('K3: sees a pod that runs other bytes than the name leads to', () => {
    expect(proof('K3')).toContain(`doctor-runs runs an earlier ${UI}`);
  });

  it('N1: sees an image that lost its pin', () => {
    expect(proof('N1')).toContain(RELAY);
  });

  it('E6: sees a device without carrier', () => {
    expect(proof('E6')).toBe('found: nocable has no carrier');
  });

  it('E8: sees a release whose uninstall was killed', () => {
    expect(proof('E8')).toBe('found: revision 1 is uninstalling');
  });

  it('E18: sees a /8 on a node that holds the network of the pods', () => {
    expect(proof('E18')).toContain('10.42.0.0/16 and 10.200.0.1/8 of nocable');
  });

  it('E4, E10, E11, E12, E16, E17: sees what values get wrong', () => {
    expect(proof('E4')).toContain('mtu: 1400, which is ignored');
    expect(proof('E10')).toContain('40:a6:b7:41:09:60');
    expect(proof('E11')).toContain('10.4.100.0/16');
    expect(proof('E12')).toBe('found: 127.0.0.1:6443 leads nowhere on worker');
    expect(proof('E16')).toContain('generic');
    expect(proof('E17')).toContain('tunnel: disabled');
  });

  it('E8: sees a release whose upgrade was killed, and nothing once it was rolled back', async () => {
    await breakOffUpgrade();
    const config = changedConfig((text) => text.replace('deploy:', 'deploy:\n  release: half'));
    const half = await look(['E8'], labEnvironment(config));
    expect(half.get('E8')?.proof).toBe('revision 2 is pending-upgrade');
    expect(commandOf(half, 'E8')).toBe('helm rollback half 1 -n kube-system');
    await helm('rollback', 'half', '1');
    expect(statesOf(await look(['E8'], labEnvironment(config)))).toEqual(['E8 ok']);
  });

  it('E12: is right that nobody answers there on an agent node; 127.0.0.1:6444 of K3s is not in the lab', async () => {
    const asked = await sh(
      'curl -sk --max-time 5 https://127.0.0.1:6443/readyz; echo "ended with $?"',
    );
    // Could not connect.
    expect(asked).toBe('ended with 7');
  });

  it('E6, E8, E18, K1, K2, K3, N1, N2: finds nothing once its own commands were run', async () => {
    for (const id of ['K1', 'K2', 'N1', 'N2']) {
      expect(commandOf(found, id)).toBe('ciliumship push --no-build --nodes worker');
    }
    const pushed = await ciliumship(['push', '--no-build', '--nodes', 'worker'], { env });
    expect(pushed.code, pushed.stderr).toBe(0);
    expect(commandOf(found, 'E8')).toBe('helm uninstall stuck -n kube-system');
    await helm('uninstall', 'stuck');
    expect(commandOf(found, 'E6')).toBe('ip -br link show nocable');
    expect(await sh(commandOf(found, 'E6'))).toMatch(/^nocable@\S+ +\S+ .*<NO-CARRIER,/);
    await sh('ip addr flush dev nocable; ip link set cable up');
    const config = changedConfig((text) =>
      text
        .replace('dataInterface: eth1', 'dataInterface: eth1, devices: [eth1, nocable]')
        .replace('deploy:', 'deploy:\n  release: stuck'),
    );
    const clear = await until('the CRI knows, and the pod starts', 60, async () => {
      const seen = await look([...OF_IMAGES, ...OF_SETTINGS], labEnvironment(config));
      return statesOf(seen).some((state) => state.endsWith(' found')) ? undefined : seen;
    });
    expect(statesOf(clear).filter((state) => !state.endsWith(' ok'))).toEqual([]);
  });
});
