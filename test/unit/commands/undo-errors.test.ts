import { expect, test } from 'vitest';
import {
  held,
  left,
  notUndone,
  provedUnchanged,
  rolledBack,
} from '../../../src/commands/shared/undo-errors.ts';
import { exitCode, ShipError } from '../../../src/core/errors.ts';

const ENDING = {
  failure: new ShipError('deploy', 'worker: the new agent was given up', {
    details: ['last words'],
  }),
  release: { name: 'cilium', namespace: 'kube-system' },
  target: 4,
  evidence: ['evidence: .ciliumship/evidence/x'],
};

test('F40: a rollout that was undone ends with 9, the reason, the last words and the revision', () => {
  const error = rolledBack(ENDING);
  expect(exitCode(error.kind)).toBe(9);
  expect(error.message).toBe(ENDING.failure.message);
  expect(error.details).toEqual([
    'last words',
    'revision 4 runs again on every node',
    'evidence: .ciliumship/evidence/x',
  ]);
});

test('F41: one that could not be undone ends with 10, the state, and every command to type', () => {
  const why = new ShipError('network', 'the API server does not answer');
  const error = notUndone(ENDING, why, ['now: revision 6 is deployed']);
  expect(exitCode(error.kind)).toBe(10);
  expect(error.message).toContain('undoing it failed: the API server does not answer');
  expect(error.details).toContain('now: revision 6 is deployed');
  expect(error.details).toContain('by hand: helm rollback cilium 4 -n kube-system');
  expect(error.details.join('\n')).toContain('kubectl -n kube-system delete pod POD');
  expect(error.hint).toBe('ciliumship rollback --to 4');
});

test('F41: before the first finished rollout there is nothing to go back to, and nothing says so', () => {
  const why = new ShipError('network', 'no answer');
  const error = notUndone({ ...ENDING, target: undefined }, why, []);
  expect(error.details.join('\n')).not.toContain('rollback');
  expect(error.hint).toBe('ciliumship deploy');
});

test('a first install that failed names the nodes that get no agent, and both ways on', () => {
  const error = held({ ...ENDING, target: undefined }, ['worker', 'master']);
  expect(exitCode(error.kind)).toBe(10);
  expect(error.details.join('\n')).toContain('no agent runs on worker, master');
  expect(error.hint).toMatch(/ciliumship ship .*helm uninstall cilium -n kube-system/);
});

test('one that failed after every agent was proved says that they run, and names no node', () => {
  const { details } = held({ ...ENDING, target: undefined }, []);
  expect(details).toContain(
    'first install, so there is nothing to go back to; every agent was proved and runs on',
  );
  expect(details.join('\n')).not.toContain('no agent runs');
});

test.each([
  [4, 'mend it, then: ciliumship ship, or undo it: ciliumship rollback'],
  [undefined, 'mend it, then: ciliumship ship'],
])('what is left as it is can be undone when there was something before (%s)', (target, hint) => {
  expect(left({ ...ENDING, target })).toMatchObject({ kind: 'deploy', hint });
});

test('F38: a Helm that was killed before it began a revision changed nothing, and may be run again', () => {
  const killed = new ShipError('deploy', 'helm upgrade was ended by a signal', { retryable: true });
  const error = provedUnchanged(killed);
  expect(exitCode(error.kind)).toBe(5);
  expect(error.details).toEqual(['the release was not changed']);
  expect(error.hint).toBe('ciliumship deploy');
});

test('what Helm refuses stays of its class', () => {
  const refused = new ShipError('deploy', 'helm upgrade of cilium failed');
  expect(provedUnchanged(refused)).toBe(refused);
});
