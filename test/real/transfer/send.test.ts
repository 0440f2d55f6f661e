import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { INBOX, LAYOUT } from '../../../src/facts/node-paths.ts';
import type { Argv } from '../../../src/core/remote.ts';
import { planNode, type NodePlan } from '../../../src/transfer/plan.ts';
import { sendStep, type Link, type Sent, type WireBlob } from '../../../src/transfer/send.ts';
import { UNLIMITED } from '../../../src/transfer/uplink.ts';
import { missingPart, run } from '../../support/parts.ts';
import { makeSshFiles, type SshFiles } from '../../support/ssh-files.ts';
import { SSHD, startSshd, type OwnSshd } from '../../support/sshd.ts';
import { startBadLink, type BadLink } from '../../support/tcp-proxy.ts';
import { EMPTY_NODE, PLANNING, shipImage } from '../../support/values.ts';

/** A layer that is sent to an sshd of our own over a link that is cut, frozen or spoiled. */
const missing = await missingPart('sshd', () => run(['test', '-x', SSHD]));

const MIB = 1024 * 1024;
const CONTENT = randomBytes(40 * MIB);
/** What SSH itself adds, and the commands around a transfer. */
const AROUND = 2 * MIB;

let files: SshFiles;
let sshd: OwnSshd;
let link: BadLink;
let count = 0;
beforeAll(async () => {
  if (missing !== undefined) return;
  files = makeSshFiles();
  sshd = await startSshd(join(files.folder, 'node'));
  link = await startBadLink(sshd.port);
  files.addHost('worker', sshd, { port: link.port });
});
afterAll(async () => {
  await link?.stop();
  await sshd?.stop();
  files?.remove();
});

/** One layer of random bytes. */
function onlyLayer(): NodePlan {
  const plan = planNode('worker', [shipImage('cilium', ['agent'])], EMPTY_NODE, PLANNING);
  return { ...plan, send: plan.send.filter(({ blob }) => blob.kind === 'layer') };
}

interface Tried {
  readonly sent: Sent;
  /** Bytes on the wire. */
  readonly bytes: number;
  readonly path: string;
}

/**
 * Sends the layer into a folder of its own.
 *
 * @param harm called with the bytes that lie on the node, as they become more
 * @param before what lies there as half a file at first
 */
async function send(harm: (bytes: number) => void, before?: Buffer): Promise<Tried> {
  const folder = join(files.folder, `node-${(count += 1)}`);
  mkdirSync(join(folder, 'in'), { recursive: true });
  const at = (path: string): string =>
    path.replace(INBOX, join(folder, 'in')).replace(LAYOUT, join(folder, 'layout'));
  await using session = await files.open('worker', { keepalive: 1_000 });
  const there: Link = {
    ...session,
    run: (argv, options) =>
      session.run(argv.map(at) as unknown as Argv, { ...options, sudo: false }),
    write: (path, source, options) => session.write(at(path), source, options),
    rename: (from, to) => session.rename(at(from), at(to)),
    remove: (path) => session.remove(at(path)),
    size: (path) => session.size(at(path)),
  };
  const plan = onlyLayer();
  const [blob] = plan.send;
  if (blob === undefined) throw new Error('no layer to send');
  const wire: WireBlob = {
    digest: blob.blob.digest,
    form: blob.form,
    size: CONTENT.length,
    open: async function* open(start = 0) {
      for (let next = start; next < CONTENT.length; next += MIB) {
        yield CONTENT.subarray(next, next + MIB);
      }
    },
  };
  const step = sendStep(plan, there, () => wire, { uplink: UNLIMITED, retryFor: 60_000 });
  const path = at(step.plan?.()[0]?.split(' ')[2] ?? '');
  if (before !== undefined) writeFileSync(`${path}.part`, before);
  const onWire = link.sent;
  const sent = await step.run({
    signal: AbortSignal.timeout(120_000),
    progress: (progress) => 'bytes' in progress && harm(progress.bytes),
  });
  return { sent, bytes: link.sent - onWire, path };
}

/** Does harm once for each of these marks, as soon as that many bytes lie on the node. */
function atMarks(harm: () => void, ...marks: readonly number[]): (bytes: number) => void {
  const left = [...marks];
  return (bytes) => {
    const [next = Number.POSITIVE_INFINITY] = left;
    if (bytes < next) return;
    left.shift();
    harm();
  };
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function expectWhole({ path }: Tried): void {
  expect(digestOf(readFileSync(path))).toBe(digestOf(CONTENT));
}

describe.skipIf(missing !== undefined)('a layer on its way', () => {
  test('F16: arrives whole though the link was cut three times, and little was sent twice', async () => {
    const tried = await send(atMarks(() => link.cut(), 10 * MIB, 20 * MIB, 30 * MIB));
    expectWhole(tried);
    expect(tried.bytes).toBeLessThan(CONTENT.length + 3 * 8 * MIB + AROUND);
  });

  test('F16: goes on after sshd was killed', async () => {
    const tried = await send(atMarks(() => sshd.cut(), 20 * MIB));
    expectWhole(tried);
    expect(tried.bytes).toBeLessThan(CONTENT.length + 8 * MIB + AROUND);
  });

  test('F15: goes on after the link was silent', async () => {
    const silent = (): void => {
      link.freeze();
      const before = link.connections;
      // Until somebody tries anew.
      const looking = setInterval(() => {
        if (link.connections === before) return;
        clearInterval(looking);
        link.cut();
        link.thaw();
      }, 20);
    };
    const tried = await send(atMarks(silent, 20 * MIB));
    expectWhole(tried);
    expect(tried.bytes).toBeLessThan(CONTENT.length + 8 * MIB + AROUND);
  });

  test('F18: goes on after a bit was flipped on the way', async () => {
    const tried = await send(atMarks(() => link.flipNext(), 20 * MIB));
    expectWhole(tried);
    expect(tried.bytes).toBeLessThan(CONTENT.length + 8 * MIB + AROUND);
  });

  const whole = CONTENT.length;
  test.each([
    ['F20: half a file of ours is gone on with', CONTENT.subarray(0, 20 * MIB), whole - 20 * MIB],
    [
      'F20: one with a hole near its end is gone on with before the hole',
      Buffer.from(CONTENT.subarray(0, 20 * MIB)).fill(0, 15 * MIB, 16 * MIB),
      whole - 12 * MIB,
    ],
    [
      'F20: one with a hole at its beginning is sent anew',
      Buffer.from(CONTENT.subarray(0, 20 * MIB)).fill(0, 0, 1),
      whole,
    ],
    ['F20: one of foreign bytes is sent anew', randomBytes(20 * MIB), whole],
    ['F20: one that is too long is sent anew', Buffer.concat([CONTENT, CONTENT]), whole],
  ])('%s', async (_title, before, expected) => {
    const tried = await send(() => undefined, before);
    expectWhole(tried);
    expect(tried.sent.bytes).toBe(expected);
  });
});
