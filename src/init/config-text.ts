import { stringify } from 'yaml';
import type { Proposal, ProposedNode } from './propose.ts';

/** What the config says beside its nodes. */
export interface ConfigParts {
  readonly proposal: Proposal;
  /** Path of the tree, as it stands in the config. */
  readonly source: string;
  /** `Cilium 1.19.0-dev at 0d41604`. */
  readonly tree: string;
  readonly tag: string;
  /** Name of the values file. */
  readonly values: string;
  /** Images that the chart runs beside those that are built. */
  readonly extraImages: readonly string[];
  readonly hostKeys: 'strict' | 'accept-new';
  /** Where an editor finds the JSON Schema, when it is installed beside the config. */
  readonly schema: string | undefined;
}

const DEFAULT_POD_CIDR = '10.42.0.0/16';
const DEFAULT_SERVICE_CIDR = '10.43.0.0/16';

/** The text of a config, with the reason of each choice beside it. */
export function configText(parts: ConfigParts): string {
  const { proposal, source, tree, tag, values, schema } = parts;
  return [
    ...(schema === undefined ? [] : [`# yaml-language-server: $schema=${schema}`]),
    '# Made by ciliumship init from what the nodes said; yours to change.',
    '# Every key: docs/configuration.md of ciliumship. What it comes to: ciliumship config',
    'version: 1',
    '',
    `# ${tree}`,
    `source: ${scalar(source)}`,
    '# Images are built as REPO:TAG, and run as REPO:TAG-DIGEST.',
    `tag: ${scalar(tag)}`,
    `platform: ${proposal.platform}`,
    '',
    '# ssh takes what `ssh` takes: an alias, USER@HOST or USER@HOST:PORT.',
    'nodes:',
    ...proposal.nodes.flatMap(nodeLines),
    '',
    ...extraLines(parts.extraImages),
    ...(parts.hostKeys === 'strict' ? [] : ['ssh:', `  hostKeys: ${parts.hostKeys}`, '']),
    'deploy:',
    `  values: ${scalar(values)}`,
    ...networkLines(proposal),
    '',
  ].join('\n');
}

function nodeLines(node: ProposedNode): readonly string[] {
  const { data, machine } = node;
  const fields: readonly (readonly [string, string | undefined])[] = [
    ['ssh', scalar(node.ssh)],
    ['role', node.role],
    ['nodeName', node.nodeName],
    ['dataInterface', node.dataInterface],
    ['dataAddress', node.dataAddress],
    ['devices', data === undefined ? undefined : `[${node.devices.join(', ')}]`],
    ['profile', node.profile],
  ];
  const { os, k3s } = machine.facts;
  return [
    `  # ${oneLine(`${os.name}, kernel ${os.kernel}, ${k3s === undefined ? 'no K3s yet' : `K3s ${k3s}`}`)}`,
    `  # ${reason(node)}`,
    `  ${scalar(node.name)}:`,
    ...fields.flatMap(([key, value]) => (value === undefined ? [] : [`    ${key}: ${value}`])),
  ];
}

/** Why this interface. */
function reason({ machine, data }: ProposedNode): string {
  const { sshInterface, drivers } = machine.facts;
  if (data === undefined) {
    return 'shares no network with the first node: name dataInterface, dataAddress and routes';
  }
  const { link, nativeXdp } = data;
  const driver = drivers.get(link.name) ?? 'driver not known';
  const xdp = nativeXdp === true ? 'native XDP' : 'no native XDP';
  const session =
    sshInterface === link.name ? 'carries SSH too' : `SSH comes in on ${sshInterface}`;
  return oneLine(`${link.name}: ${driver}, ${xdp}, MTU ${link.mtu}; ${session}`);
}

function extraLines(images: readonly string[]): readonly string[] {
  if (images.length === 0) return [];
  return [
    '# What the chart runs beside the built images: shipped from your Docker, as it is there.',
    'extraImages:',
    ...images.map((name) => `  - ${scalar(name)}`),
    '',
  ];
}

function networkLines({ podCidr, serviceCidr }: Proposal): readonly string[] {
  const pods = podCidr === DEFAULT_POD_CIDR ? [] : [`  clusterCidr: ${podCidr}`];
  const services = serviceCidr === DEFAULT_SERVICE_CIDR ? [] : [`  serviceCidr: ${serviceCidr}`];
  const lines = [...pods, ...services];
  return lines.length === 0 ? [] : ['k3s:', ...lines];
}

/** A value as YAML writes it, quoted where it must be. */
function scalar(text: string): string {
  return stringify(text, { lineWidth: 0 }).trimEnd();
}

/** What a machine says of itself may not end a comment. */
function oneLine(text: string): string {
  return text.replaceAll(/[\s\p{C}]+/gu, ' ');
}
