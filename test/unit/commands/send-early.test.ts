import { expect, test } from 'vitest';
import type { Fleet } from '../../../src/commands/shared/fleet.ts';
import type { LockedFleet } from '../../../src/commands/shared/lock.ts';
import { sendEarly } from '../../../src/commands/shared/send-early.ts';
import type { WireFile } from '../../../src/image/wire.ts';
import type { SendBlob } from '../../../src/transfer/plan.ts';
import { UNLIMITED } from '../../../src/transfer/uplink.ts';
import { testContext } from '../../support/context.ts';
import { fakeNode, type Answer } from '../../support/fake-node.ts';
import { testFolder } from '../../support/folder.ts';
import { blob } from '../../support/values.ts';

const OPTIONS = { uplink: UNLIMITED, retryFor: 0 };

/** One node, and what it was asked in a word. */
function oneNode(answer?: (command: string) => Answer | undefined) {
  const node = fakeNode(answer);
  const unheld: Fleet = {
    sessions: new Map([
      [
        'worker',
        {
          ...node,
          reconnect: async () => undefined,
          restore: async () => undefined,
          tunnel: async () => expect.unreachable('no tunnel is needed'),
          [Symbol.asyncDispose]: async () => undefined,
        },
      ],
    ]),
    failures: new Map(),
    [Symbol.asyncDispose]: async () => undefined,
  };
  const fleet: LockedFleet = {
    ...unheld,
    unheld,
    lost: new AbortController().signal,
    confirmLock: async () => undefined,
    keepLock: () => undefined,
  };
  const asked = (pattern: RegExp): number => node.asked.filter((one) => pattern.test(one)).length;
  return { node, asked, early: sendEarly(testContext(testFolder()).context, fleet, OPTIONS) };
}

function layerOf(text: string): readonly [SendBlob, WireFile] {
  const layer = blob('layer', text);
  const expected = { bytes: text.length, seconds: undefined };
  const whole = { form: 'zstd', expected } as const;
  const open = async function* open() {
    yield Buffer.from(text);
  };
  return [
    { blob: layer, ...whole, whole },
    { digest: layer.digest, form: 'zstd', size: text.length, open },
  ];
}

const DECODE = / decode /;
const CLEAN = /^sudo rm -rf /;

test('layers travel and are decoded before anybody takes them, and all bytes count', async () => {
  const { asked, early } = oneNode();
  early.send('worker', ...layerOf('one'));
  early.send('worker', ...layerOf('three'));
  await expect.poll(() => asked(DECODE)).toBe(2);
  const sent = await early.take('worker', () => undefined);
  expect(sent).toMatchObject({ bytes: 8, layers: 2, layerBytes: 8 });
  await early[Symbol.asyncDispose]();
  expect(asked(CLEAN)).toBe(0);
});

test('what has not begun when the plan takes over is left to it', async () => {
  const { asked, early } = oneNode();
  const taking = early.take('worker', () => undefined);
  early.send('worker', ...layerOf('late'));
  expect(await taking).toMatchObject({ bytes: 0, layers: 0 });
  await early[Symbol.asyncDispose]();
  expect(asked(/^write /)).toBe(0);
});

test('what fails is left to the plan, and the layers after it still travel', async () => {
  let first = true;
  const { asked, early } = oneNode((command) => {
    if (!DECODE.test(command) || !first) return undefined;
    first = false;
    return { code: 65 };
  });
  early.send('worker', ...layerOf('broken'));
  early.send('worker', ...layerOf('whole'));
  await expect.poll(() => asked(DECODE)).toBe(2);
  expect(await early.take('worker', () => undefined)).toMatchObject({ bytes: 5, layers: 1 });
});

test('what nobody takes is removed from the node', async () => {
  const { asked, early } = oneNode();
  early.send('worker', ...layerOf('one'));
  await expect.poll(() => asked(DECODE)).toBe(1);
  await early[Symbol.asyncDispose]();
  expect(asked(CLEAN)).toBe(1);
});
