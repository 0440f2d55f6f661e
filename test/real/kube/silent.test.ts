import type { RequestListener } from 'node:http';
import { describe, expect, test } from 'vitest';
import { ShipError } from '../../../src/core/errors.ts';
import { openCluster } from '../../../src/system/kube/cluster.ts';
import { agent } from '../../support/fake-cluster.ts';
import { until } from '../../support/parts.ts';
import { accept, message, startApi, type Api } from './api.ts';

const LABEL = 'ciliumship.dev/profile';
const SHORT = 300;
const LONG = 60_000;
const never = (): void => undefined;
const answer =
  (status: number, body: object): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
const refuse =
  (status: number, text: string): RequestListener =>
  (request, response) =>
    answer(status, { kind: 'Status', message: text })(request, response);

const open = (api: Api, deadline: number, signal = new AbortController().signal) =>
  openCluster(api.kubeconfig, undefined, LABEL, signal, deadline);

/** The error of a call that has to fail. */
async function errorOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => expect.unreachable('it did not fail'),
    (error: unknown) => error,
  );
}

const closed = (api: Api) => until('no connection', 5, () => api.connections() === 0);

describe('an API server that does not answer', () => {
  const calls: readonly [string, (cluster: ReturnType<typeof open>) => Promise<unknown>][] = [
    ['a list', (cluster) => cluster.nodes()],
    ['a change', (cluster) => cluster.labelNode('worker', { a: 'b' })],
    ['an object that may be missing', (cluster) => cluster.configMap('kube-system', 'x')],
    ['an apply', (cluster) => cluster.applyNodeConfig('n', 'v2', profile)],
    ['a deletion', (cluster) => cluster.deleteNodeConfig('n', 'v2', 'fast')],
    ['a log', (cluster) => cluster.logs('n', agent('cilium-1'), 'cilium-agent')],
    ['a command', (cluster) => cluster.exec('n', agent('cilium-1'), 'cilium-agent', ['true'])],
  ];
  const profile = { name: 'fast', profile: 'fast', defaults: {} };

  test.each(calls)('ends %s at the deadline, as network, and hangs up', async (_name, call) => {
    await using api = await startApi(never, never);
    const error = await errorOf(call(open(api, SHORT)));
    expect(error).toBeInstanceOf(ShipError);
    expect(error).toMatchObject({ kind: 'network', retryable: true });
    expect(api.asked.length).toBeGreaterThan(0);
    await closed(api);
  });

  test.each(calls)('lets the run end %s long before, and hangs up', async (_name, call) => {
    await using api = await startApi(never, never);
    const run = new AbortController();
    const reason = new ShipError('interrupted', 'interrupted');
    const error = errorOf(call(open(api, LONG, run.signal)));
    await until('the call', 5, () => api.asked.length > 0);
    run.abort(reason);
    expect(await error).toBe(reason);
    await closed(api);
  });

  test.each(calls)('is not asked for %s after the end of the run', async (_name, call) => {
    await using api = await startApi(never, never);
    const reason = new ShipError('interrupted', 'interrupted');
    expect(await errorOf(call(open(api, LONG, AbortSignal.abort(reason))))).toBe(reason);
  });
});

describe('an API server that answers', () => {
  test.each([
    [401, 'identity'],
    [403, 'identity'],
    [409, 'deploy'],
    [500, 'network'],
  ])('with HTTP %d is a failure of kind %s', async (status, kind) => {
    await using api = await startApi(refuse(status, 'no'), never);
    expect(await errorOf(open(api, LONG).nodes())).toMatchObject({ kind });
  });

  test('that there is no such thing is undefined for what may be missing', async () => {
    await using api = await startApi(refuse(404, 'not found'), never);
    const cluster = open(api, LONG);
    expect(await cluster.configMap('n', 'x')).toBeUndefined();
    expect(await cluster.nodeConfigs('n', 'v2')).toEqual([]);
    await cluster.deleteNodeConfig('n', 'v2', 'gone');
  });

  test('that there is no such thing is a failure for what is applied', async () => {
    await using api = await startApi(refuse(404, 'not found'), never);
    const object = { name: 'fast', profile: 'fast', defaults: {} };
    const error = await errorOf(open(api, LONG).applyNodeConfig('n', 'v2', object));
    expect(error).toMatchObject({ kind: 'deploy' });
  });

  test('tells whose CiliumNodeConfig it is', async () => {
    const named = (name: string, managers: readonly string[]) => ({
      metadata: { name, managedFields: managers.map((manager) => ({ manager })) },
      spec: { nodeSelector: { matchLabels: { [LABEL]: name } }, defaults: { mtu: '1400' } },
    });
    const items = [named('fast', ['kubectl', 'ciliumship']), named('foreign', ['kubectl'])];
    await using api = await startApi(answer(200, { items }), never);
    expect(await open(api, LONG).nodeConfigs('n', 'v2')).toEqual([
      { name: 'fast', profile: 'fast', defaults: { mtu: '1400' }, ours: true },
      { name: 'foreign', profile: 'foreign', defaults: { mtu: '1400' }, ours: false },
    ]);
  });
});

describe('a command in a container', () => {
  const run = (api: Api, deadline = LONG, signal = new AbortController().signal) =>
    open(api, deadline, signal).exec('n', agent('cilium-1'), 'cilium-agent', ['true']);

  test('gives what it printed, and hangs up', async () => {
    await using api = await startApi(never, (request, socket) => {
      accept(request, socket);
      socket.write(Buffer.concat([message(1, 'hello'), message(3, '{"status":"Success"}')]));
    });
    expect(await run(api)).toBe('hello');
    await closed(api);
  });

  test('that fails is of kind deploy, with what it wrote', async () => {
    await using api = await startApi(never, (request, socket) => {
      accept(request, socket);
      socket.write(Buffer.concat([message(2, 'no such'), message(3, '{"status":"Failure"}')]));
    });
    expect(await errorOf(run(api))).toMatchObject({ kind: 'deploy', details: ['no such'] });
  });

  test('whose connection is lost without a status is of kind network at once', async () => {
    await using api = await startApi(never, (request, socket) => {
      accept(request, socket);
      socket.end(message(1, 'half of it'));
    });
    const error = await errorOf(run(api));
    expect(error).toMatchObject({ kind: 'network', retryable: true });
    expect(String(error)).toContain('connection was lost');
  });

  test('that prints but never ends is given up at the deadline', async () => {
    await using api = await startApi(never, (request, socket) => {
      accept(request, socket);
      socket.write(message(1, 'still here'));
    });
    const error = await errorOf(run(api, SHORT));
    expect(error).toMatchObject({ kind: 'network', retryable: true });
    expect(String(error)).toContain('no answer');
    await closed(api);
  });

  test('ends with the run while it prints, and hangs up', async () => {
    const stop = new AbortController();
    const reason = new ShipError('interrupted', 'interrupted');
    await using api = await startApi(never, (request, socket) => {
      accept(request, socket);
      socket.write(message(1, 'still here'), () => stop.abort(reason));
    });
    expect(await errorOf(run(api, LONG, stop.signal))).toBe(reason);
    await closed(api);
  });
});
