import { found, ok, onCluster, unknown, yours, type Problem } from './problem.ts';

const BUILD = yours({
  argv: ['ciliumship', 'ship'],
  effect: 'builds agent and operator from one tree and deploys the chart of that tree',
});

const CRASH = /unmanaged-pod-watcher-interval/;

export const e13: Problem = {
  id: 'E13',
  title: 'the operator crashes on a setting of another version’s chart',
  patterns: [/unmanaged-pod-watcher-interval/i, /unable to cast .* to int64/i],
  document:
    'Since 1.16 the interval is a number, and old entries such as "15s" crash the agent. Remove the key from cilium-config with `kubectl patch`.',
  known:
    'The other way round: it was a number up to 1.18 and is a duration since 1.19, and it is the operator that reads it. A chart of 1.19 writes "15s", and an operator of 1.18 cannot read that: chart and image are of different versions (N7). What `kubectl patch` takes away the next helm upgrade brings back. Until both are of one version, `operator.unmanagedPodWatcher.restart: false` writes "0", which both can read.',
  recognised: 'the log of an operator that is not ready names unmanaged-pod-watcher-interval',
  example: BUILD,
  look: onCluster(({ operatorLog, pods }) => {
    const ready = pods.some((pod) => pod.labels['io.cilium/app'] === 'operator' && pod.ready);
    if (ready) return ok('the operator runs');
    if (operatorLog === undefined) return unknown('its log cannot be read');
    const line = operatorLog.find((each) => CRASH.test(each));
    return line === undefined ? ok('its log does not name the key') : found(line.trim(), BUILD);
  }),
};
