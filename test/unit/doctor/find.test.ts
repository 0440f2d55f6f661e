import { describe, expect, test } from 'vitest';
import { problemOf, problemsFor } from '../../../src/doctor/find.ts';
import { problems } from '../../../src/doctor/index.ts';

describe('an id', () => {
  test('is found in any case', () => {
    expect(problemOf('e5').id).toBe('E5');
  });

  test('that nobody knows is refused with the nearest one', () => {
    expect(() => problemOf('E33')).toThrow('there is no problem E33; did you mean E3?');
    expect(() => problemOf('storm')).toThrow('ids are E1 to E18, K1 to K4, N1 to N9');
  });

  test('is there once for every problem, in order', () => {
    const of = (letter: string, count: number): readonly string[] =>
      Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);
    expect(problems.map(({ id }) => id)).toEqual([...of('E', 18), ...of('K', 4), ...of('N', 9)]);
  });
});

describe('a text of an error', () => {
  test.each([
    ["Error: Can't replace active BPF XDP link.", 'E1'],
    ['MTU too large to enable XDP', 'E3'],
    [
      'unable to create new content in namespace cilium-secrets because it is being terminated',
      'E7',
    ],
    ['Error: INSTALLATION FAILED: cannot re-use a name that is still in use', 'E8'],
    ['Error: INSTALLATION FAILED: cannot reuse a name that is still in use', 'E8'],
    ['Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress', 'E8'],
    ['invalid value "15s" for --unmanaged-pod-watcher-interval: expected int64', 'E13'],
    [
      'FailedCreatePodSandBox: plugin type="cilium-cni" failed: unable to connect to Cilium daemon',
      'E14',
    ],
    ['Underlying driver does not support XDP in native mode', 'E15'],
    ['Invalid value for --node-port-acceleration: generic', 'E16'],
    ['tunnel was deprecated in v1.14 and has been removed in v1.15', 'E17'],
    ['Error: ErrImageNeverPull', 'K1'],
    ["couldn't get resource list for metrics.k8s.io/v1beta1", 'N6'],
    ['x509: certificate has expired or is not yet valid: current time', 'N8'],
  ])('%s leads to %s first', (text, id) => {
    expect(problemsFor(text)[0]?.id).toBe(id);
  });

  test('that shows no known problem leads nowhere', () => {
    expect(problemsFor('all is well')).toEqual([]);
  });
});
