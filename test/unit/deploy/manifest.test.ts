import { describe, expect, test } from 'vitest';
import { sameTemplate, workloadsOf } from '../../../src/deploy/manifest.ts';

const CHART = `# Source: cilium/templates/cilium-configmap.yaml
apiVersion: v1
kind: ConfigMap
metadata: { name: cilium-config }
data: { mtu: "1400" }
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: cilium }
spec:
  template:
    spec:
      initContainers:
        - { name: config, image: quay.io/cilium/cilium:dev-1, imagePullPolicy: Never }
        - { name: mount, image: quay.io/tools/mount:1 }
      containers:
        - { name: cilium-agent, image: quay.io/cilium/cilium:dev-1, imagePullPolicy: Never }
      nodeSelector: { kubernetes.io/os: linux }
      tolerations: [{ operator: Exists }]
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms:
              - matchExpressions: [{ key: ciliumship.io/hold, operator: DoesNotExist }]
---
# an empty document, as templates leave them
---
apiVersion: batch/v1
kind: CronJob
metadata: { name: hubble-generate-certs }
spec:
  schedule: "0 0 1 * *"
  jobTemplate:
    spec:
      template:
        spec:
          containers: [{ name: certgen, image: quay.io/cilium/certgen:1, imagePullPolicy: Always }]
---
apiVersion: batch/v1
kind: Job
metadata: { name: once }
spec: { template: { spec: { containers: [{ name: once, image: quay.io/tools/once:1 }] } } }
`;

describe('a rendered chart', () => {
  const [agent, certs, once, ...others] = workloadsOf(CHART);

  test('has a workload for all that starts pods, and for nothing else', () => {
    expect([agent, certs, once].map((one) => `${one?.kind} ${one?.name}`)).toEqual([
      'DaemonSet cilium',
      'CronJob hubble-generate-certs',
      'Job once',
    ]);
    expect(others).toEqual([]);
  });

  test('names the images of init containers too, in their order', () => {
    expect(agent?.images).toEqual([
      { container: 'config', image: 'quay.io/cilium/cilium:dev-1', pullPolicy: 'Never' },
      { container: 'mount', image: 'quay.io/tools/mount:1', pullPolicy: 'IfNotPresent' },
      { container: 'cilium-agent', image: 'quay.io/cilium/cilium:dev-1', pullPolicy: 'Never' },
    ]);
  });

  test('names the image of a CronJob, two templates deep', () => {
    expect(certs?.images).toEqual([
      { container: 'certgen', image: 'quay.io/cilium/certgen:1', pullPolicy: 'Always' },
    ]);
  });

  test('says where the pods may run', () => {
    expect(agent).toMatchObject({
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      tolerations: [{ operator: 'Exists' }],
      affinityTerms: [[{ key: 'ciliumship.io/hold', operator: 'DoesNotExist' }]],
    });
    expect(once).toMatchObject({ nodeSelector: {}, tolerations: [], affinityTerms: [] });
  });

  test('that is not YAML is refused', () => {
    expect(() => workloadsOf('kind: "DaemonSet\n')).toThrowError(
      expect.objectContaining({ kind: 'config' }),
    );
  });

  test.each([
    ['cilium', CHART, true],
    ['cilium', CHART.replace('mtu: "1400"', 'mtu: "1390"'), true],
    ['cilium', CHART.replace('tools/mount:1', 'tools/mount:2'), false],
    ['cilium', '', false],
    ['none', CHART, false],
  ])(
    'starts the pods of %s from the same template as another, or not (%#)',
    (name, other, same) => {
      expect(sameTemplate(name, CHART, other)).toBe(same);
    },
  );
});
