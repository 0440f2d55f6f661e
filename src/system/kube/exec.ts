import { PassThrough } from 'node:stream';
import { Exec, type V1Status } from '@kubernetes/client-node';
import { ShipError } from '../../core/errors.ts';
import type { BoundedConfig } from './config.ts';

/** Bytes of an answer, as from a node. */
const MAX_OUTPUT = 4 * 1024 * 1024;

/**
 * Runs a command in a container and returns its standard output.
 *
 * @throws ShipError `deploy` with what it wrote to standard error; `network` without an answer in
 * time; `storage` when it prints without an end; the reason of the signal
 */
export async function execIn(
  config: BoundedConfig,
  target: { readonly namespace: string; readonly pod: string; readonly container: string },
  command: readonly string[],
): Promise<string> {
  config.bounds.signal.throwIfAborted();
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const flood = new AbortController();
  const flooded = (): void =>
    flood.abort(
      new ShipError('storage', `${target.pod}: ${command.join(' ')} printed more than 4 MiB`),
    );
  const printed = Promise.all([collect(stdout, flooded), collect(stderr, flooded)]);
  const signal = AbortSignal.any([config.bounds.signal, flood.signal]);
  const status = await runExec(config, target, command, { stdout, stderr, signal });
  stdout.end();
  stderr.end();
  const [out, err] = await printed;
  if (status.status === 'Success') return out;
  throw new ShipError('deploy', `${target.pod}: ${command.join(' ')} failed`, {
    details: [(err || status.message) ?? ''],
  });
}

/** The text of a stream, as long as it is no flood. */
async function collect(stream: PassThrough, flooded: () => void): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_OUTPUT) chunks.push(chunk);
    else flooded();
  }
  return Buffer.concat(chunks).toString();
}

interface Streams {
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
  readonly signal: AbortSignal;
}

async function runExec(
  config: BoundedConfig,
  { namespace, pod, container }: { namespace: string; pod: string; container: string },
  command: readonly string[],
  { stdout, stderr, signal }: Streams,
): Promise<V1Status> {
  const { deadline } = config.bounds;
  const { promise, resolve, reject } = Promise.withResolvers<V1Status>();
  const lost = (what: string, cause?: unknown): void =>
    reject(
      new ShipError('network', `${pod}: ${what} ${command.join(' ')}`, { retryable: true, cause }),
    );
  const stop = (): void => reject(signal.reason as Error);
  const timer = setTimeout(() => lost('no answer to'), deadline);
  signal.addEventListener('abort', stop, { once: true });
  const opened = new Exec(config)
    .exec(namespace, pod, container, [...command], stdout, stderr, null, false, resolve)
    // A socket that closes without a status is an answer that never comes.
    .then((socket) => socket.on('close', () => lost('the connection was lost during')));
  opened.catch((cause: unknown) => lost('cannot run', cause));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    // An open socket would keep the process alive; whether it ever opened is no matter here.
    opened.then((socket) => socket.terminate()).catch(() => undefined);
  }
}
