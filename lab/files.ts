import { copyFileSync, chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NETWORKS, NODES, STATE, TAG } from './settings.ts';
import { KUBECONFIG } from './cluster.ts';
import { INSTALLER, K3S } from './node-image.ts';
import { SSH_CONFIG } from './ssh.ts';

/** What `up` leaves in the state folder for people, for ciliumship and for the tests. */

export const TREE = join(STATE, 'tree');
export const CONFIG = join(STATE, 'ciliumship.yaml');
const VALUES = join(STATE, 'cilium-values.yaml');
const ENVIRONMENT = join(STATE, 'env');

const CLI = join(import.meta.dirname, '../src/cli.ts');

/** Helm 3 and 4 and kubectl, with `helm` as Helm 3, and the ciliumship of this checkout. */
export function writeBin(programs: { helm3: string; helm4: string; kubernetes: string }): void {
  const bin = join(STATE, 'bin');
  mkdirSync(bin, { recursive: true });
  const files = { helm3: programs.helm3, helm4: programs.helm4, kubectl: programs.kubernetes };
  for (const [name, folder] of Object.entries(files)) {
    rmSync(join(bin, name), { force: true });
    copyFileSync(join(folder, name), join(bin, name));
    chmodSync(join(bin, name), 0o755);
  }
  rmSync(join(bin, 'helm'), { force: true });
  symlinkSync('helm3', join(bin, 'helm'));
  writeFileSync(join(bin, 'ciliumship'), `#!/bin/sh\nexec ${process.execPath} ${CLI} "$@"\n`, {
    mode: 0o755,
  });
}

/** The config, values and environment for ciliumship. */
export function writeConfig(extraImages: readonly string[], stock: boolean): void {
  writeFileSync(CONFIG, configText(extraImages));
  writeFileSync(VALUES, valuesText(stock));
  writeFileSync(
    ENVIRONMENT,
    [
      // What else is typed in this shell is meant for the same lab: npm run lab -- ssh worker
      `export CILIUMSHIP_LAB=${process.env['CILIUMSHIP_LAB'] ?? ''}`,
      `export CILIUMSHIP_CONFIG=${CONFIG}`,
      `export CILIUMSHIP_SSH_CONFIG=${SSH_CONFIG}`,
      `export KUBECONFIG=${KUBECONFIG}`,
      `export PATH=${join(STATE, 'bin')}:$PATH`,
      '',
    ].join('\n'),
  );
}

export function configText(extraImages: readonly string[]): string {
  const nodes = NODES.map(
    (node) =>
      `  ${node.name}: { ssh: ${node.name}, role: ${node.role}, dataInterface: ${node.dataInterface}, ` +
      `dataAddress: ${node.dataAddress}/${NETWORKS.data.prefix}, profile: ${node.name}-layout }`,
  );
  return `# The lab's config; npm run lab -- up writes it anew.
version: 1
source: ${TREE}
tag: ${TAG}
nodes:
${nodes.join('\n')}
extraImages:
${extraImages.map((name) => `  - ${name}`).join('\n')}
k3s:
  binary: ${K3S}
  installer: ${INSTALLER}
deploy:
  values: cilium-values.yaml
  timeout: 2m
  soak: 2s
`;
}

const SERVER = NODES[0];

/** The values of the procedure; a stock chart does not know the key of the patch. */
export function valuesText(stock: boolean): string {
  return stock ? VALUES_TEXT.replace(PATCH_VALUES, '') : VALUES_TEXT;
}

const PATCH_VALUES = `vxlanAcceleration:
  enabled: true
  enableMetrics: false
  queues: 1
  enablePolicyEnforcement: true
`;

const VALUES_TEXT = `# The values of the procedure, corrected, with the lab's addresses.
k8sServiceHost: ${SERVER?.dataAddress}
k8sServicePort: 6443
kubeProxyReplacement: true
routingMode: tunnel
tunnelProtocol: vxlan
MTU: 1400
ipam:
  mode: cluster-pool
  operator:
    clusterPoolIPv4PodCIDRList: [10.42.0.0/16]
bpf:
  masquerade: true
enableIPv4Masquerade: true
loadBalancer:
  acceleration: native
cgroup:
  autoMount: { enabled: false }
  hostRoot: /sys/fs/cgroup
${PATCH_VALUES}operator:
  replicas: 1
  nodeSelector: { kubernetes.io/hostname: ${SERVER?.name} }
hubble:
  enabled: true
  relay: { enabled: true }
  ui:
    enabled: true
    service: { type: NodePort, nodePort: 30080 }
  tls:
    auto: { enabled: true, method: helm, certValidityDuration: 1095 }
prometheus:
  enabled: true
`;
