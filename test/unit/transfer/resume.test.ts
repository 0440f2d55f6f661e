import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { resumePoint } from '../../../src/transfer/resume.ts';
import type { WireBlob } from '../../../src/transfer/send.ts';
import { fakeNode, type FakeNode } from '../../support/fake-node.ts';

const MIB = 1024 * 1024;
const WHOLE = Buffer.alloc(20 * MIB, 'the bytes of a layer');
const PART = '/inbox/layer.part';
const NEVER = new AbortController().signal;

const WIRE: WireBlob = {
  digest: `sha256:${'0'.repeat(64)}`,
  form: 'zstd',
  size: WHOLE.length,
  open: async function* open(start = 0) {
    for (let at = start; at < WHOLE.length; at += MIB) yield WHOLE.subarray(at, at + MIB);
  },
};

/** A node that has a half sent file, and hashes it as `head | sha256sum` do. */
function nodeWith(part: Buffer | undefined): FakeNode {
  const node = fakeNode((command) => {
    const bytes = Number(/ prefix (\d+) /.exec(command)?.[1]);
    const prefix = node.files.get(PART)?.subarray(0, bytes) ?? Buffer.alloc(0);
    return `${createHash('sha256').update(prefix).digest('hex')}  -\n`;
  });
  if (part !== undefined) node.files.set(PART, part);
  return node;
}

describe('a file that was cut', () => {
  test('F16: goes on where it ends, when the node proves all of it', async () => {
    const node = nodeWith(WHOLE.subarray(0, 15 * MIB));
    expect(await resumePoint(node, PART, WIRE, NEVER)).toBe(15 * MIB);
    expect(node.files.has(PART)).toBe(true);
  });

  test('F16: goes on at most 8 MiB before its end, when there are holes near it', async () => {
    const part = Buffer.from(WHOLE.subarray(0, 15 * MIB)).fill(0, 14 * MIB - 5, 14 * MIB);
    const node = nodeWith(part);
    expect(await resumePoint(node, PART, WIRE, NEVER)).toBe(7 * MIB);
    expect(node.files.has(PART)).toBe(true);
  });

  test('that was never begun starts at its beginning', async () => {
    expect(await resumePoint(nodeWith(undefined), PART, WIRE, NEVER)).toBe(0);
  });

  const hole = Buffer.from(WHOLE.subarray(0, 15 * MIB)).fill(0, 5 * MIB, 6 * MIB);
  test.each([
    ['F20: with a hole', hole],
    ['F20: of another run', Buffer.alloc(15 * MIB, 'other bytes')],
    ['longer than what is sent', Buffer.alloc(21 * MIB, 'the bytes of a layer')],
    ['F20: shorter than what may have holes, with one', Buffer.alloc(MIB)],
  ])('%s starts anew', async (_title, part) => {
    const node = nodeWith(part);
    expect(await resumePoint(node, PART, WIRE, NEVER)).toBe(0);
    expect(node.files.has(PART)).toBe(false);
  });
});
