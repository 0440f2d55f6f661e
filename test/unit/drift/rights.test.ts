import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { kubernetesRights, sudoersText } from '../../../src/drift/rights.ts';
import { IMAGE_PROBES } from '../../../src/transfer/probe.ts';

interface Role {
  readonly kind: string;
  readonly metadata: { readonly namespace?: string };
  readonly rules?: readonly {
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

const KINDS = [
  { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system' },
  { apiVersion: 'v1', kind: 'Secret', namespace: 'kube-system' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace: 'kube-system' },
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', namespace: 'other' },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', namespace: undefined },
  { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', namespace: undefined },
];

describe('the rights of drift', () => {
  const roles = parseAllDocuments(kubernetesRights('kube-system', KINDS)).map(
    (document) => document.toJS() as Role,
  );
  const rules = roles.flatMap((role) => role.rules ?? []);

  test('D25: are to get and to list, and to nothing else', () => {
    expect(new Set(rules.flatMap(({ verbs }) => verbs))).toEqual(new Set(['get', 'list']));
  });

  test('D25: are none to Secrets', () => {
    expect(rules.flatMap(({ resources }) => resources)).not.toContain('secrets');
    expect(rules.flatMap(({ resources }) => resources)).not.toContain('*');
  });

  test('are to what is compared, where it is', () => {
    const at = (kind: string, namespace?: string): readonly string[] =>
      roles
        .filter((role) => role.kind === kind && role.metadata.namespace === namespace)
        .flatMap((role) => role.rules ?? [])
        .flatMap(({ resources }) => resources);
    expect(at('Role', 'kube-system')).toContain('daemonsets');
    expect(at('Role', 'other')).toEqual(['networkpolicies']);
    expect(at('ClusterRole')).toEqual(
      expect.arrayContaining(['nodes', 'clusterroles', 'ingressclasses']),
    );
  });

  test('D25: on a node are to the bare commands, each with its arguments', () => {
    expect(sudoersText('drift', IMAGE_PROBES, '/usr/local/bin/k3s').split('\n').slice(2)).toEqual([
      'Cmnd_Alias CILIUMSHIP_DRIFT = \\',
      '    /usr/local/bin/k3s ctr version, \\',
      '    /usr/local/bin/k3s ctr -n k8s.io images ls, \\',
      '    /usr/local/bin/k3s ctr -n k8s.io images check, \\',
      '    /usr/local/bin/k3s crictl images -o json',
      'Defaults:drift !requiretty',
      'drift ALL=(root) NOPASSWD: CILIUMSHIP_DRIFT',
      '',
    ]);
  });
});
