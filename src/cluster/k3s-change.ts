import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import { judged, type Check } from '../core/check.ts';
import { ShipError } from '../core/errors.ts';
import type { Node } from '../core/node.ts';
import { K3S_CONFIG, type K3sFacts } from '../facts/k3s.ts';
import type { Setting, Settings } from './k3s-config.ts';

/** A setting that the config.yaml of a node has otherwise; undefined is not set. */
interface Change {
  readonly key: string;
  readonly before: Setting | undefined;
  readonly after: Setting | undefined;
}

const MADE_ANEW = 'or make the cluster anew: ciliumship reset, then ciliumship k3s install';
const JOINS_ANEW =
  'or take the node out and in again: ciliumship k3s uninstall, then ciliumship k3s install';

/** What K3s takes when it starts for the first time and never again, with what to do instead. */
const FROZEN: Readonly<Record<string, string>> = {
  'cluster-cidr': `set k3s.clusterCidr back, ${MADE_ANEW}`,
  'service-cidr': `set k3s.serviceCidr back, ${MADE_ANEW}`,
  'cluster-dns': `set it back, ${MADE_ANEW}`,
  'cluster-domain': `set it back, ${MADE_ANEW}`,
  'data-dir': `set it back, ${MADE_ANEW}`,
  'datastore-endpoint': `set it back, ${MADE_ANEW}`,
  'node-name': `set nodeName of the node back, ${JOINS_ANEW}`,
  'node-label': `K3s gives it to a node that joins only: set it back and use kubectl label node, ${JOINS_ANEW}`,
  'node-taint': `K3s gives it to a node that joins only: set it back and use kubectl taint node, ${JOINS_ANEW}`,
  'cluster-init': `other servers need the database of K3s in etcd: after a backup add cluster-init: true to ${K3S_CONFIG} there by hand, systemctl restart k3s, ${MADE_ANEW}`,
};

/** Values that nobody may read over a shoulder. */
const SECRET = /token|secret|password|key$|endpoint/;

/**
 * Settings that K3s on a node runs without: of a config.yaml that we wrote.
 *
 * @throws ShipError `config` when it is no YAML any more
 */
export function changesOf(node: Node, text: string, config: string): readonly Change[] {
  const [before, after] = [settingsOf(node, text), settingsOf(node, config)];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys
    .map((key) => ({ key, before: before[key], after: after[key] }))
    .filter((change) => !isDeepStrictEqual(change.before, change.after));
}

/**
 * The settings of a config.yaml.
 *
 * @throws ShipError `config` when there are none in it
 */
export function settingsOf(node: Node, text: string): Settings {
  try {
    const value: unknown = parse(text);
    if (typeof value === 'object' && value !== null) return value as Settings;
  } catch {
    // Said below, as of one that is a list.
  }
  throw new ShipError('config', `${node.name}: ${K3S_CONFIG} was edited and is no YAML any more`, {
    hint: `mend it there, or remove it, and run the same command again`,
  });
}

/** `tls-san: [a] → [a, b]`, for people. */
export function changeLine({ key, before, after }: Change): string {
  if (SECRET.test(key)) return `${key}: another value (not shown)`;
  return `${key}: ${shown(before)} → ${shown(after)}`;
}

function shown(value: Setting | undefined): string {
  if (value === undefined) return '(not set)';
  return Array.isArray(value) ? `[${value.join(', ')}]` : String(value);
}

/** What K3s on a node cannot change any more: settings of its first start, and its program. */
export function judgeChange(
  node: Node,
  state: K3sFacts,
  wanted: { readonly config: string; readonly binary: string },
): readonly Check[] {
  if (!state.started || state.text === undefined) return [];
  const changes = changesOf(node, state.text, wanted.config);
  const frozen = changes.filter((change) => isFrozen(node, change));
  return [...frozen.map((change) => frozenCheck(node, change)), program(node, state, wanted)];
}

/** A server's own address is that of its member of the database; an agent may move. */
function isFrozen(node: Node, { key, before }: Change): boolean {
  if (key === 'node-ip') return node.role === 'server' && before !== undefined;
  return key in FROZEN;
}

function frozenCheck(node: Node, change: Change): Check {
  return judged({
    node: node.name,
    check: `${change.key} of K3s`,
    wanted: 'as at its first start',
    found: changeLine(change),
    ok: false,
    remedy: FROZEN[change.key] ?? `set dataAddress of the node back, ${MADE_ANEW}`,
  });
}

function program(
  { name }: Node,
  { binary = '' }: K3sFacts,
  wanted: { readonly binary: string },
): Check {
  return judged({
    node: name,
    check: 'program of K3s',
    wanted: `sha256 ${wanted.binary}`,
    found: `k3s.binary is another one than runs there (sha256 ${binary.slice(0, 12)}…, k3s.binary has ${wanted.binary.slice(0, 12)}…)`,
    ok: binary === '' || binary === wanted.binary,
    remedy: `k3s install upgrades nothing: name the program that runs, or upgrade K3s as its own pages say and then name the new one`,
  });
}
