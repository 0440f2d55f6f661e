import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { KUBECONFIG } from '../../lab/cluster.ts';
import { TREE } from '../../lab/files.ts';
import { testFolder } from './folder.ts';
import type { LabHelm } from './helms.ts';
import { changedConfig, kubectl } from './lab.ts';
import { until } from './parts.ts';

const TO_LAB = { env: { KUBECONFIG }, reject: false } as const;
const CILIUM = ['cilium', '-n', 'kube-system'] as const;
const OTHER = ['first', '-n', 'default'] as const;
const FINALIZER = 'ciliumship.io/test';

/** Leaves the release as a Helm does that is killed while it waits for its pods. */
export async function killUpgrade(helm: LabHelm): Promise<void> {
  const chart = join(TREE, 'install/kubernetes/cilium');
  const nowhere = ['--set-string', 'operator.nodeSelector.nowhere=true'];
  const upgrade = ['upgrade', 'cilium', chart, '-n', 'kube-system', '--reuse-values', ...nowhere];
  await killWaiting(helm, upgrade, CILIUM, 'pending-upgrade');
}

/** Leaves the release as a Helm does that is killed while it waits for what it removes to go. */
export async function killUninstall(helm: LabHelm): Promise<void> {
  await finalize('kube-system', 'cilium-config', [FINALIZER]);
  try {
    await killWaiting(helm, ['uninstall', ...CILIUM], CILIUM, 'uninstalling');
  } finally {
    await finalize('kube-system', 'cilium-config', []);
  }
}

/** A release beside Cilium's, in whose name a config deploys. */
export interface OtherRelease extends AsyncDisposable {
  readonly env: NodeJS.ProcessEnv;
  /** As Helm says it; undefined when there is no release. */
  readonly status: () => Promise<string | undefined>;
}

/** Its Helm was killed while it waited for a pod that no node takes. */
export async function killedFirstInstall(helm: LabHelm): Promise<OtherRelease> {
  const spec = '{ nodeSelector: { nowhere: "1" }, containers: [{ name: none, image: none }] }';
  const pod = `apiVersion: v1\nkind: Pod\nmetadata: { name: first-install }\nspec: ${spec}\n`;
  await killWaiting(helm, ['install', ...OTHER, chartOf(pod)], OTHER, 'pending-install');
  return otherRelease(helm, async () => undefined);
}

/** Its Helm was killed while it waited for an object to go that somebody holds. */
export async function killedRemoval(helm: LabHelm): Promise<OtherRelease> {
  const map = `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: held, finalizers: [${FINALIZER}] }\n`;
  await execa(helm.program, ['install', ...OTHER, chartOf(map)], { env: TO_LAB.env });
  await killWaiting(helm, ['uninstall', ...OTHER], OTHER, 'uninstalling');
  return otherRelease(helm, () => finalize('default', 'held', []));
}

function otherRelease(helm: LabHelm, letGo: () => Promise<void>): OtherRelease {
  const named = 'deploy:\n  release: first\n  namespace: default';
  const config = changedConfig((own) => own.replace('deploy:', named));
  return {
    env: { ...helm.env, CILIUMSHIP_CONFIG: config },
    status: async () => {
      const { stdout } = await execa(helm.program, ['status', ...OTHER, '-o', 'json'], TO_LAB);
      return /"status":"([^"]+)"/.exec(stdout)?.[1];
    },
    [Symbol.asyncDispose]: async () => {
      await letGo();
      await execa(helm.program, ['uninstall', ...OTHER], TO_LAB);
    },
  };
}

/** A chart of one object. */
function chartOf(object: string): string {
  const chart = testFolder();
  mkdirSync(join(chart, 'templates'));
  writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: first\nversion: 1.0.0\n');
  writeFileSync(join(chart, 'templates/object.yaml'), object);
  return chart;
}

async function killWaiting(
  { program }: LabHelm,
  args: readonly string[],
  release: readonly string[],
  state: string,
): Promise<void> {
  const helm = execa(program, [...args, '--timeout', '5m', '--wait'], TO_LAB);
  await until(`the release is ${state}`, 60, async () => {
    const { stdout } = await execa(program, ['status', ...release, '-o', 'json'], TO_LAB);
    return stdout.includes(`"${state}"`);
  });
  helm.kill('SIGKILL');
  await helm;
}

async function finalize(
  namespace: string,
  map: string,
  finalizers: readonly string[],
): Promise<void> {
  const patch = JSON.stringify({ metadata: { finalizers } });
  const found = ['-n', namespace, 'get', 'configmap', map, '--ignore-not-found', '-o', 'name'];
  if ((await kubectl(...found)) === '') return;
  await kubectl('-n', namespace, 'patch', 'configmap', map, '--type', 'merge', '-p', patch);
}
