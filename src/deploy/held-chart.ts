import { isMap, isNode, parseAllDocuments, type Document } from 'yaml';
import { AGENT_SET } from './agents.ts';
import { isNamed } from './manifest.ts';

/** Deletes nothing by itself: agents are replaced when we say so. */
const OWN_ORDER = '{ type: OnDelete }';

/**
 * A chart that applies what a revision applied, but for the order of its agents, which is ours: Helm has
 * no other way to go back to a revision without letting its DaemonSet replace agents as it likes. Every
 * other byte stays, so that no pod template changes.
 *
 * @param manifest what the revision applied, with a DaemonSet of the agents
 * @returns names of files → their text
 */
export function heldChart(manifest: string, revision: number): ReadonlyMap<string, string> {
  // The manifest itself is no template: there may be braces in it.
  return new Map([
    ['Chart.yaml', `apiVersion: v2\nname: cilium\nversion: 0.0.0-revision.${revision}\n`],
    ['templates/manifest.yaml', '{{ .Files.Get "manifest.yaml" }}\n'],
    ['manifest.yaml', inOurOrder(manifest)],
  ]);
}

function inOurOrder(manifest: string): string {
  const set = parseAllDocuments(manifest).find((document) =>
    isNamed(document.toJS(), 'DaemonSet', AGENT_SET),
  );
  return set === undefined ? manifest : withStrategy(manifest, set);
}

function withStrategy(text: string, set: Document): string {
  const strategy = set.getIn(['spec', 'updateStrategy'], true);
  if (isNode(strategy) && strategy.range) {
    const [start, end] = strategy.range;
    const line = text.slice(start, end).endsWith('\n') ? '\n' : '';
    return `${text.slice(0, start)} ${OWN_ORDER}${line}${text.slice(end)}`;
  }
  const spec = set.get('spec', true);
  return isMap(spec) && spec.range ? withFirstKey(text, spec.range[0], spec.flow === true) : text;
}

/** Kubernetes reads a strategy that is not there as one that is not ours. */
function withFirstKey(text: string, start: number, flow: boolean): string {
  const [before, after] = [text.slice(0, start), text.slice(start)];
  const pair = `updateStrategy: ${OWN_ORDER}`;
  if (flow) return `${before}{ ${pair}, ${after.slice(1)}`;
  const indent = ' '.repeat(start - before.lastIndexOf('\n') - 1);
  return `${before}${pair}\n${indent}${after}`;
}
