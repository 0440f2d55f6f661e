import { afterEach, describe, expect, test } from 'vitest';
import { buildSteps } from '../../../src/build/steps.ts';
import { exitCode, ShipError } from '../../../src/core/errors.ts';
import { apiEngine } from '../../../src/system/docker-build.ts';
import type { Patience } from '../../../src/system/docker-watch.ts';
import { connectDocker } from '../../../src/system/docker.ts';
import { failureOf, recordedRun, requestOf } from '../../support/docker-build.ts';
import { startHttpDocker, type HttpDocker } from '../../support/docker-http.ts';
import { until } from '../../support/parts.ts';

const ID = `sha256:${'a'.repeat(64)}` as const;
const OTHER = `sha256:${'b'.repeat(64)}` as const;
const RESULT = JSON.stringify({ id: 'moby.image.id', aux: { ID } });

let daemon: HttpDocker;
afterEach(async () => daemon.stop());

type Answers = Parameters<typeof startHttpDocker>[0];

/** Runs the build step against a daemon that answers like this. */
async function build(
  answers: Answers,
  patience: Partial<Patience> = {},
  signal?: AbortSignal,
): Promise<unknown> {
  daemon = await startHttpDocker(answers);
  const docker = await connectDocker(daemon.env);
  const [step] = buildSteps([requestOf('FROM scratch')], apiEngine(docker, { patience }), docker);
  return step?.run(recordedRun(signal));
}

function image(Id: string, Architecture = 'amd64'): Answers[string] {
  return (response) =>
    response.end(JSON.stringify({ Id, Os: 'linux', Architecture, RootFS: { Layers: [OTHER] } }));
}

describe('a build stream proves nothing by ending', () => {
  test('F3: a stream that ends early is an error, exit class 4', async () => {
    const error = await failureOf(build({ '/build': (response) => response.end('{}\n') }));
    expect(error.message).toContain('build result missing');
    expect(exitCode(error.kind)).toBe(4);
  });

  test('F3: a stream that is cut in the middle of a record is an error', async () => {
    const error = await failureOf(
      build({ '/build': (response) => response.end(RESULT.slice(0, 40)) }),
    );
    expect(error.kind).toBe('build');
    expect(error.message).toContain('cut');
  });

  test('F3: a connection that is reset after half a stream is an error', async () => {
    const error = await failureOf(
      build({
        '/build': (response) => {
          response.write('{}\n');
          setImmediate(() => response.socket?.destroy());
        },
      }),
    );
    expect(error.kind).toBe('build');
    expect(error.message).toContain('went away in the middle');
  });

  test('F3: an id in the stream is no success when Docker does not have the image', async () => {
    const error = await failureOf(build({ '/build': (response) => response.end(RESULT) }));
    expect(error.message).toContain('Docker has no ciliumship-test/built:1');
  });

  test('F3: an id in the stream is no success when the tag points elsewhere', async () => {
    const answers = { '/build': ((response) => response.end(RESULT)) as Answers[string] };
    const error = await failureOf(build({ ...answers, '/images/': image(OTHER) }));
    expect(error.message).toContain('is bbbbbbbbbbbb');
  });

  test('an image of another platform is refused', async () => {
    const answers = { '/build': ((response) => response.end(RESULT)) as Answers[string] };
    const error = await failureOf(build({ ...answers, '/images/': image(ID, 'arm64') }));
    expect(error.message).toContain('linux/arm64, not linux/amd64');
  });

  test('an id that was seen, inspected and tagged is a success', async () => {
    const answers = { '/build': ((response) => response.end(`${RESULT}\n`)) as Answers[string] };
    const built = await build({ ...answers, '/images/': image(ID) });
    expect(built).toMatchObject({ id: ID, diffIds: [OTHER], platform: 'linux/amd64' });
  });

  test('F2: an error record is an error although the stream ends well', async () => {
    const record = `${JSON.stringify({ errorDetail: { message: 'no space left' }, error: 'x' })}\n`;
    const error = await failureOf(build({ '/build': (response) => response.end(record + RESULT) }));
    expect(error.message).toContain('no space left');
  });
});

describe('a build that goes quiet', () => {
  const silent: Answers = {
    '/build/cancel': (response) => response.writeHead(204).end(),
    '/build': (response) => void response.write('{}\n'),
  };

  test('F5: a daemon that answers no ping any more is an error', async () => {
    let pings = 0;
    const error = await failureOf(
      build(
        { ...silent, '/_ping': (response) => void ((pings += 1) === 1 && response.end('OK')) },
        { silence: 20, answer: 20, idle: 60_000 },
      ),
    );
    expect(error.kind).toBe('build');
    expect(error.message).toContain('stopped answering');
  });

  test('F6: a daemon that answers pings is waited for', async () => {
    let pings = 0;
    const answers: Answers = {
      '/build': (response) => {
        void until('five pings', 20, () => pings > 5).then(() => response.end(RESULT));
      },
      '/_ping': (response) => void ((pings += 1), response.end('OK')),
      '/images/': image(ID),
    };
    const built = await build(answers, { silence: 20, answer: 1000, idle: 60_000 });
    expect(built).toMatchObject({ id: ID });
  });

  test('F5: even a living daemon is given up after the idle time', async () => {
    const error = await failureOf(build(silent, { silence: 10, answer: 1000, idle: 100 }));
    expect(error.message).toContain('nothing came from Docker');
    expect(error.hint).toContain('build.idleTimeout');
  });

  test('F7: an abort cancels the build in the daemon and closes every connection', async () => {
    const stop = new AbortController();
    const cancelled = new ShipError('interrupted', 'interrupted');
    const running = build({ ...silent, '/images': image(ID) }, {}, stop.signal);
    const failed = failureOf(running);
    await until('the build runs', 10, () => daemon?.requests.includes('POST /build'));
    stop.abort(cancelled);
    expect(await failed).toBe(cancelled);
    expect(daemon.requests).toContain('POST /build/cancel');
    await until('all connections are closed', 5, () => daemon.open.size === 0);
  });
});

describe('docker save', () => {
  async function save(answer: Answers[string]): Promise<number> {
    daemon = await startHttpDocker({ '/images/get': answer });
    const docker = await connectDocker(daemon.env);
    let bytes = 0;
    for await (const chunk of await docker.save(['a:1', 'b:1'])) bytes += (chunk as Buffer).length;
    return bytes;
  }

  test('a whole archive is passed on', async () => {
    await expect(save((response) => response.end(Buffer.alloc(100_000)))).resolves.toBe(100_000);
  });

  test('F9: an archive that is cut fails its stream', async () => {
    const cut: Answers[string] = (response) => {
      response.write(Buffer.alloc(100_000));
      setTimeout(() => response.socket?.destroy(), 20);
    };
    const error = await failureOf(save(cut));
    expect(error.kind).toBe('build');
  });

  test('an image that Docker does not have is an error before the first byte', async () => {
    const error = await failureOf(
      save((response) => void response.writeHead(404).end('{"message":"No such image: a:1"}')),
    );
    expect(error.message).toBe('docker: save failed: No such image: a:1');
  });
});
