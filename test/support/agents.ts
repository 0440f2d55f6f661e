import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SSH_CONFIG } from '../../lab/ssh.ts';
import { changedConfig, kubectl } from './lab.ts';

/** Uid, start and image of the agent on a node: the same only when nobody touched it. */
export async function agentOn(node: string): Promise<string> {
  const fields = ['metadata.uid', 'status.startTime', 'spec.containers[0].image'];
  const path = fields.map((field) => `{.items[0].${field}}`).join(' ');
  return kubectl(
    ...['-n', 'kube-system', 'get', 'pods', '-l', 'k8s-app=cilium'],
    ...['--field-selector', `spec.nodeName=${node}`, '-o', `jsonpath=${path}`],
  );
}

/** The same of both nodes, the master first. */
export function agents(): Promise<readonly string[]> {
  return Promise.all([agentOn('master'), agentOn('worker')]);
}

/** The lab's values with a change, in a file of their own. */
export function changedValues(change: (values: string) => string): string {
  const file = join(dirname(changedConfig((text) => text)), 'values.yaml');
  const values = readFileSync(join(dirname(SSH_CONFIG), 'cilium-values.yaml'), 'utf8');
  writeFileSync(file, change(values));
  return file;
}

/** The lab's values with another MTU: a rollout that needs no build. */
export function valuesWithMtu(mtu: number): string {
  return changedValues((text) => text.replace('MTU: 1400', `MTU: ${mtu}`));
}
