import { kubectl, nodeNamed, onNode } from './lab.ts';
import { until } from './parts.ts';

const worker = nodeNamed('worker');

/** Ends the agent of the worker so that nothing starts it again. */
export async function stopAgent(): Promise<void> {
  await onNode(worker, 'systemctl', 'stop', 'k3s-agent');
  await onNode(worker, 'pkill', '-9', '-x', 'cilium-agent');
  await until('the agent is gone', 20, () =>
    onNode(worker, 'pgrep', '-x', 'cilium-agent').then(
      () => false,
      () => true,
    ),
  );
}

/** Starts it again and waits until it is as before. */
export async function startAgent(): Promise<void> {
  await onNode(worker, 'systemctl', 'start', 'k3s-agent');
  await until('the agent has attached its program', 120, async () =>
    (await onNode(worker, 'ip', '-j', 'link', 'show', worker.dataInterface)).includes(
      'cil_xdp_entry',
    ),
  );
  await until('the worker is ready', 90, async () => {
    const conditions = '{.status.conditions[?(@.type=="Ready")].status}';
    return (await kubectl('get', 'node', 'worker', '-o', `jsonpath=${conditions}`)) === 'True';
  });
  const agent = ['-n', 'kube-system', 'pods', '-l', 'k8s-app=cilium'];
  await until('its agent is ready', 90, async () => {
    const paths = 'jsonpath={.items[*].status.containerStatuses[0].ready}';
    return (await kubectl('get', ...agent, '-o', paths)) === 'true true';
  });
}
