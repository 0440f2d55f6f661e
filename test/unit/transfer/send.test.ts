import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { hexOf } from '../../../src/core/digest.ts';
import { ShipError } from '../../../src/core/errors.ts';
import type { Progress, Run } from '../../../src/core/step.ts';
import { INBOX, LAYOUT, wireName } from '../../../src/facts/node-paths.ts';
import { planNode, type SendBlob } from '../../../src/transfer/plan.ts';
import {
  sendStep,
  type Link,
  type SendOptions,
  type Sent,
  type WireBlob,
} from '../../../src/transfer/send.ts';
import { UNLIMITED } from '../../../src/transfer/uplink.ts';
import { fakeNode, type FakeNode } from '../../support/fake-node.ts';
import { EMPTY_NODE, PLANNING, shipImage } from '../../support/values.ts';

const IMAGE = shipImage('cilium', ['base', 'the agent']);
const PLAN = planNode('worker', [IMAGE], EMPTY_NODE, PLANNING);

/** The wire form of a blob is its first hex digits, with the form in front. */
function wire({ blob, form }: SendBlob): WireBlob {
  const bytes = Buffer.from(`${JSON.stringify(form)} ${hexOf(blob.digest).slice(0, 8)}`);
  const open = async function* (): AsyncIterable<Uint8Array> {
    yield bytes;
  };
  return { digest: blob.digest, form, size: bytes.length, open };
}

const BLOBS = PLAN.send.map((planned) => {
  const { digest, form, size } = wire(planned);
  return { path: `${INBOX}/${wireName(digest, form)}`, size };
});
const LAYER = BLOBS[0] ?? { path: '', size: 0 };
const HEX = /[0-9a-f]{64}/.exec(LAYER.path)?.[0] ?? '';
const TOTAL = BLOBS.reduce((sum, { size }) => sum + size, 0);

function nodeOfUser(more: (command: string) => string | undefined = () => undefined): FakeNode {
  return fakeNode((command) => (command === 'id -u' ? '1000\n' : more(command)));
}

/** GNU ls says 2 of a folder that is not there, BusyBox 1. */
function bare(command: string): { readonly code: number } | undefined {
  return command.startsWith('ls ') ? { code: 2 } : undefined;
}

const OPTIONS: SendOptions = { uplink: UNLIMITED, retryFor: 60_000 };

async function send(node: FakeNode, seen: Progress[] = []): Promise<Sent> {
  const run: Run = { signal: new AbortController().signal, progress: (one) => seen.push(one) };
  return sendStep(PLAN, linkTo(node), wire, OPTIONS).run(run);
}

function linkTo(node: FakeNode): Link {
  return { ...node, reconnect: async () => void node.asked.push('reconnect') };
}

describe('sending', () => {
  test('puts every blob under the name of its digest and form, and no other file', async () => {
    const node = nodeOfUser();
    await send(node);
    const sizes = [...node.files].map(([path, bytes]) => ({ path, size: bytes.length }));
    expect(sizes).toEqual(BLOBS);
    expect(LAYER.path).toMatch(/\/[0-9a-f]{64}\.zst$/);
  });

  test('makes the inbox the SSH user’s own and closed to others, before the first byte', async () => {
    const node = nodeOfUser();
    await send(node);
    expect(node.asked[1]).toMatch(/^sudo sh -c mkdir .* chown .* chmod 0700 .* 1000$/);
    expect(node.asked.findIndex((what) => what.startsWith('write'))).toBe(3);
  });

  test('does not send again what an earlier run brought as far as the layout', async () => {
    const [first] = BLOBS;
    const node = nodeOfUser((command) => (command.startsWith('ls ') ? `${HEX}\n` : undefined));
    expect(await send(node)).toMatchObject({ bytes: TOTAL - (first?.size ?? 0), kept: 1 });
    expect(node.asked.some((what) => what.startsWith(`write ${first?.path}`))).toBe(false);
    expect(node.asked).toContain(`sudo ls -1 ${LAYOUT}/blobs/sha256`);
  });

  test('takes only whole names in the layout for blobs, and no layout for none', async () => {
    const part = (command: string): string | undefined =>
      command.startsWith('ls ') ? `${HEX}.part\nx${HEX}\n` : undefined;
    expect(await send(nodeOfUser(part))).toMatchObject({ bytes: TOTAL, kept: 0 });
    const none = fakeNode((command) => (command === 'id -u' ? '1000\n' : bare(command)));
    expect(await send(none)).toMatchObject({ bytes: TOTAL, kept: 0 });
  });

  test('gives a file its name only when it is whole', async () => {
    const node = nodeOfUser();
    await send(node);
    for (const { path } of BLOBS) {
      const [written, renamed] = [`write ${path}.part`, `rename ${path}.part`];
      expect(node.asked.indexOf(renamed)).toBe(node.asked.indexOf(written) + 1);
    }
  });

  test('counts the bytes that travelled, and those of layers among them', async () => {
    const layers = LAYER.size + (BLOBS[1]?.size ?? 0);
    const sent = await send(nodeOfUser());
    expect(sent).toMatchObject({ bytes: TOTAL, layers: 2, layerBytes: layers, kept: 0 });
  });

  test('passes over a file that lies there complete', async () => {
    const node = nodeOfUser();
    node.files.set(LAYER.path, Buffer.alloc(LAYER.size));
    expect(await send(node)).toMatchObject({ bytes: TOTAL - LAYER.size, layers: 1, kept: 1 });
    expect(node.asked).not.toContain(`write ${LAYER.path}.part`);
  });

  test('replaces a file of another size', async () => {
    const node = nodeOfUser();
    node.files.set(LAYER.path, Buffer.alloc(LAYER.size - 1));
    expect(await send(node)).toMatchObject({ bytes: TOTAL, kept: 0 });
    expect(node.files.get(LAYER.path)).toHaveLength(LAYER.size);
  });

  test('removes what an earlier run left half sent', async () => {
    const node = nodeOfUser();
    node.files.set(`${LAYER.path}.part`, Buffer.from('half'));
    await send(node);
    expect(node.asked).toContain(`remove ${LAYER.path}.part`);
    expect([...node.files.keys()]).toEqual(BLOBS.map(({ path }) => path));
  });

  test('tells its progress in bytes of all blobs, never backwards and up to the end', async () => {
    const seen: Progress[] = [];
    await send(nodeOfUser(), seen);
    const bytes = seen.map((one) => ('bytes' in one ? one.bytes : Number.NaN));
    expect(bytes).toEqual(bytes.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toEqual({ bytes: TOTAL, total: TOTAL });
  });

  test('plans what it would write, and writes nothing', () => {
    const node = nodeOfUser();
    const lines = sendStep(PLAN, linkTo(node), wire, OPTIONS).plan?.();
    expect(lines).toHaveLength(BLOBS.length);
    expect(lines?.[0]).toBe(`sftp: write ${LAYER.path}   (0.0 kB, rate unknown)`);
    expect(lines?.map((line) => line.split(' ')[2])).toEqual(BLOBS.map(({ path }) => path));
    expect(node.asked).toEqual([]);
  });
});

describe('a lost connection', () => {
  const lost = new ShipError('network', 'worker: the connection was lost', { retryable: true });

  /** A node whose first writes end like this. */
  function failing(...errors: readonly Error[]): Link {
    const left = [...errors];
    const link = linkTo(nodeOfUser());
    return {
      ...link,
      write: async (path, source, options) => {
        const error = left.shift();
        if (error !== undefined) throw error;
        return link.write(path, source, options);
      },
    };
  }

  const run: Run = { signal: new AbortController().signal, progress: () => undefined };

  test('F16: is taken up again, and nothing is counted twice', async () => {
    const link = failing(lost, lost);
    const asked: string[] = [];
    const seen: Link = { ...link, reconnect: async () => void asked.push('reconnect') };
    expect(await sendStep(PLAN, seen, wire, OPTIONS).run(run)).toMatchObject({ bytes: TOTAL });
    expect(asked).toEqual(['reconnect', 'reconnect']);
  });

  test('F16: counts the time of what arrived before the cut, and none until it was noticed', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const link = linkTo(nodeOfUser());
    let cut = false;
    const cutting: Link = {
      ...link,
      write: async (path, source, options) => {
        if (cut) return link.write(path, source, options);
        cut = true;
        vi.advanceTimersByTime(4_000);
        options?.onAcknowledged?.(3);
        vi.advanceTimersByTime(30_000);
        throw lost;
      },
    };
    const { seconds } = await sendStep(PLAN, cutting, wire, OPTIONS).run(run);
    expect(seconds).toBeCloseTo(4, 3);
  });

  test('F19: leaves no half sent file on a disk that is full', async () => {
    const node = fakeNode((command) => (command === 'id -u' ? '1000\n' : undefined), {
      [INBOX]: 3,
    });
    await expect(send(node)).rejects.toMatchObject({ kind: 'storage' });
    expect([...node.files.keys()]).toEqual([]);
  });

  test('F11: a wire form that got shorter meanwhile is other bytes, and nothing of it stays', async () => {
    const node = nodeOfUser();
    const longer = (blob: SendBlob): WireBlob => ({ ...wire(blob), size: wire(blob).size + 1 });
    const sending = sendStep(PLAN, linkTo(node), longer, OPTIONS).run(run);
    await expect(sending).rejects.toMatchObject({ kind: 'integrity', retryable: true });
    expect([...node.files.keys()]).toEqual([]);
  });

  test.each([
    ['F12: a changed host key', new ShipError('identity', 'worker: the host key changed')],
    ['F19: a full disk', new ShipError('storage', 'worker: no space', { retryable: true })],
  ])('%s is no lost connection: it is said at once', async (_title, error) => {
    const sending = sendStep(PLAN, failing(error), wire, OPTIONS).run(run);
    await expect(sending).rejects.toBe(error);
  });

  test.each([
    ['F12: to a host whose key changed meanwhile', new ShipError('identity', 'worker: other key')],
    ['to a node that someone took over meanwhile', new ShipError('locked', 'worker: overtaken')],
  ])('is given up %s', async (_title, error) => {
    const link = failing(lost);
    const asked: string[] = [];
    const reconnect = async (): Promise<void> => {
      asked.push('reconnect');
      throw error;
    };
    const sending = sendStep(PLAN, { ...link, reconnect }, wire, OPTIONS).run(run);
    await expect(sending).rejects.toBe(error);
    expect(asked).toHaveLength(1);
  });

  test('is not taken up when nobody wants that', async () => {
    const once = { ...OPTIONS, retryFor: 0 };
    await expect(sendStep(PLAN, failing(lost), wire, once).run(run)).rejects.toBe(lost);
  });

  test('ends with the reason of a run that was stopped', async () => {
    const stop = new AbortController();
    const reason = new ShipError('interrupted', 'interrupted');
    const progress = (): void => stop.abort(reason);
    const sending = sendStep(PLAN, failing(lost, lost), wire, OPTIONS);
    await expect(sending.run({ signal: stop.signal, progress })).rejects.toBe(reason);
  });
});
