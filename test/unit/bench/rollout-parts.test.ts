import { expect, it } from 'vitest';
import { partsOf, type TimedEvent } from '../../../bench/rollout-parts.ts';

function at(second: number, step: string, text: string, stage = 'Roll out'): TimedEvent {
  const time = new Date(second * 1000).toISOString();
  return { time, event: 'progress', stage, step, progress: { text } };
}

function stageAt(second: number, name: string, state: string): TimedEvent {
  return { time: new Date(second * 1000).toISOString(), event: 'stage', stage: name, state };
}

const WORKER = [
  at(1, 'worker', 'look once more what worker has'),
  at(2, 'worker', 'delete cilium-a'),
  at(3, 'worker', 'cilium-b is not ready, 0 restarts'),
  at(6, 'worker', 'watch cilium-b for 2 s'),
  at(8, 'worker', 'look at worker'),
];

it('counts the start of each agent and its soak, and leaves the rest to ciliumship', () => {
  const master = [at(10, 'master', 'delete cilium-c'), at(13, 'master', 'watch cilium-d for 2 s')];
  const operator = [stageAt(0, 'Operator', 'started'), stageAt(1.5, 'Operator', 'done')];
  expect(partsOf(20, [...operator, ...WORKER, ...master], 5)).toEqual({
    seconds: 20,
    helmSeconds: 5,
    agentSeconds: 7,
    othersSeconds: 1.5,
    soakSeconds: 4,
    ownSeconds: 2.5,
  });
});

it('passes over agents that were not replaced, and other stages', () => {
  const other = [
    at(3, 'worker', 'delete what is left', 'Clean'),
    at(9, 'master', 'look at master'),
  ];
  expect(partsOf(20, [...WORKER, ...other], 5).agentSeconds).toBe(4);
  expect(() => partsOf(20, other, 5)).toThrow('no agent was replaced');
});
