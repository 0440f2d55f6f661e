import { expect, test } from 'vitest';
import { heldChart } from '../../../src/deploy/held-chart.ts';
import { leavesOrder, sameTemplate } from '../../../src/deploy/manifest.ts';

const TEMPLATE = `  template:
    spec:
      volumes:
        - { name: config, configMap: { name: cilium-config, defaultMode: 0400 } }
`;
const AROUND = `---
# Source: cilium/templates/cilium-configmap.yaml
kind: ConfigMap
metadata: { name: cilium-config }
data:
  envoy: '{{ .not.a.template }}'
---
# Source: cilium/templates/cilium-envoy/daemonset.yaml
kind: DaemonSet
metadata: { name: cilium-envoy }
spec:
  updateStrategy:
    type: RollingUpdate
---
# Source: cilium/templates/cilium-agent/daemonset.yaml
kind: DaemonSet
metadata:
  name: cilium
`;
const BLOCK =
  '  updateStrategy:\n    rollingUpdate:\n      maxUnavailable: 2\n    type: RollingUpdate\n';
const AFTER = '---\nkind: Deployment\nmetadata: { name: cilium-operator }\n';

function heldManifest(manifest: string): string {
  return heldChart(manifest, 3).get('manifest.yaml') ?? '';
}

test.each([
  ['of several lines', `spec:\n  selector: {}\n${BLOCK}${TEMPLATE}`],
  ['at the end', `spec:\n${TEMPLATE}${BLOCK}`],
  ['of one line', `spec:\n  updateStrategy: { type: RollingUpdate }\n${TEMPLATE}`],
  ['that is empty', `spec:\n  updateStrategy:\n${TEMPLATE}`],
  ['that is not there', `spec:\n${TEMPLATE}`],
  ['that is not there, in one line', 'spec: { template: { spec: {} } }\n'],
  ['in one line with all', 'spec: { updateStrategy: { type: RollingUpdate }, template: {} }\n'],
])('a strategy %s becomes ours, and nothing else changes', (_, spec) => {
  const manifest = `${AROUND}${spec}${AFTER}`;
  const held = heldManifest(manifest);
  expect(leavesOrder('cilium', manifest)).toBe(false);
  expect(leavesOrder('cilium', held)).toBe(true);
  expect(leavesOrder('cilium-envoy', held)).toBe(false);
  expect(sameTemplate('cilium', manifest, held)).toBe(true);
  expect(held.startsWith(AROUND)).toBe(true);
  expect(held.endsWith(AFTER)).toBe(true);
  expect(held.includes('0400')).toBe(manifest.includes('0400'));
});

test('the chart takes the manifest as it is, and names the revision', () => {
  const chart = heldChart(AROUND, 3);
  expect([...chart.keys()]).toEqual(['Chart.yaml', 'templates/manifest.yaml', 'manifest.yaml']);
  expect(chart.get('Chart.yaml')).toContain('version: 0.0.0-revision.3');
  expect(chart.get('templates/manifest.yaml')).not.toContain('not.a.template');
});
