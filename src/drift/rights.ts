import { stringify } from 'yaml';
import type { Argv } from '../core/remote.ts';

/** Kubernetes name of everything that is made for drift. */
const NAME = 'ciliumship-drift';

/** A kind of object that is compared. */
export interface ComparedKind {
  readonly apiVersion: string;
  readonly kind: string;
  /** Undefined for what belongs to the whole cluster. */
  readonly namespace: string | undefined;
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly ('get' | 'list')[];
}

/**
 * A sudoers file that lets a user look at images as root and do nothing else: exactly these
 * commands with exactly these arguments.
 *
 * @param commands whose first word is `k3s`
 * @param k3s its path on the nodes
 */
export function sudoersText(user: string, commands: readonly Argv[], k3s: string): string {
  const lines = commands.map(([, ...args]) => {
    const escaped = args.map((arg) => arg.replaceAll(/[,:=\\]/g, String.raw`\$&`));
    return `    ${[k3s, ...escaped].join(' ')}`;
  });
  return [
    '# What ciliumship drift runs on a node, and nothing else.',
    `# Install it on every node: visudo -cf FILE && install -m 0440 FILE /etc/sudoers.d/${NAME}`,
    `Cmnd_Alias CILIUMSHIP_DRIFT = \\`,
    lines.join(', \\\n'),
    `Defaults:${user} !requiretty`,
    `${user} ALL=(root) NOPASSWD: CILIUMSHIP_DRIFT`,
    '',
  ].join('\n');
}

/**
 * Roles with get and list on what drift compares, and a service account that has them. No rule names
 * Secrets.
 */
export function kubernetesRights(namespace: string, kinds: readonly ComparedKind[]): string {
  const own = [
    rule('', ['configmaps'], 'get'),
    rule('', ['pods'], 'list'),
    rule('cilium.io', ['ciliumnodeconfigs'], 'list'),
  ];
  const whole = [
    rule('', ['nodes'], 'list'),
    rule('apiextensions.k8s.io', ['customresourcedefinitions'], 'get'),
  ];
  const places = new Map<string | undefined, readonly Rule[]>([
    [namespace, own],
    [undefined, whole],
  ]);
  const byPlace = Map.groupBy(kinds, (kind) => kind.namespace);
  for (const [place, found] of byPlace) {
    places.set(place, [...(places.get(place) ?? []), ...rulesOf(found)]);
  }
  const account = { kind: 'ServiceAccount', name: NAME, namespace };
  const documents = [
    { apiVersion: 'v1', kind: account.kind, metadata: { name: NAME, namespace } },
    ...[...places].flatMap(([place, rules]) => roleWithBinding(place, rules, account)),
  ];
  const head = `# Reads what ciliumship drift compares. Apply it, then make a token for a kubeconfig:
#   kubectl -n ${namespace} create token ${NAME} --duration 24h
`;
  return `${head}${documents.map((document) => stringify(document, { lineWidth: 0 })).join('---\n')}`;
}

function rule(group: string, resources: readonly string[], verb: 'get' | 'list'): Rule {
  return { apiGroups: [group], resources, verbs: [verb] };
}

/** One rule for each API group. */
function rulesOf(kinds: readonly ComparedKind[]): readonly Rule[] {
  const groups = Map.groupBy(
    kinds.filter(({ kind }) => kind !== 'Secret'),
    ({ apiVersion }) => (apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''),
  );
  return [...groups]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([group, own]) => {
      const resources = new Set(own.map(({ kind }) => pluralOf(kind)));
      return rule(group, [...resources].toSorted(), 'get');
    });
}

/** As Kubernetes names the resources of its own kinds, and Cilium those of its. */
function pluralOf(kind: string): string {
  const word = kind.toLowerCase();
  if (/[^aeiou]y$/.test(word)) return word.replace(/y$/, 'ies');
  if (word === 'endpoints') return word;
  return /(s|x|ch|sh)$/.test(word) ? `${word}es` : `${word}s`;
}

function roleWithBinding(
  namespace: string | undefined,
  rules: readonly Rule[],
  account: { readonly kind: string; readonly name: string; readonly namespace: string },
): readonly object[] {
  const kind = namespace === undefined ? 'ClusterRole' : 'Role';
  const apiGroup = 'rbac.authorization.k8s.io';
  const metadata = { name: NAME, ...(namespace === undefined ? {} : { namespace }) };
  return [
    { apiVersion: `${apiGroup}/v1`, kind, metadata, rules },
    {
      apiVersion: `${apiGroup}/v1`,
      kind: `${kind}Binding`,
      metadata,
      subjects: [account],
      roleRef: { apiGroup, kind, name: NAME },
    },
  ];
}
