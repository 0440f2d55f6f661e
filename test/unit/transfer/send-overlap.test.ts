import { describe, expect, test } from 'vitest';
import { ShipError } from '../../../src/core/errors.ts';
import type { Run } from '../../../src/core/step.ts';
import { INBOX, wireName } from '../../../src/facts/node-paths.ts';
import { planNode, type SendBlob } from '../../../src/transfer/plan.ts';
import {
  sendStep,
  type Link,
  type SendOptions,
  type WireBlob,
} from '../../../src/transfer/send.ts';
import { UNLIMITED } from '../../../src/transfer/uplink.ts';
import { fakeNode, type FakeNode } from '../../support/fake-node.ts';
import { EMPTY_NODE, PLANNING, shipImage } from '../../support/values.ts';

const PLAN = planNode('worker', [shipImage('cilium', ['base', 'agent'])], EMPTY_NODE, PLANNING);
const OPTIONS: SendOptions = { uplink: UNLIMITED, retryFor: 60_000 };

function wire({ blob, form }: SendBlob): WireBlob {
  const bytes = Buffer.from(blob.digest);
  const open = async function* (): AsyncIterable<Uint8Array> {
    yield bytes;
  };
  return { digest: blob.digest, form, size: bytes.length, open };
}

function nodeOfUser(): FakeNode {
  return fakeNode((command) => (command === 'id -u' ? '1000\n' : undefined));
}

function linkTo(node: FakeNode): Link {
  return { ...node, reconnect: async () => void node.asked.push('reconnect') };
}

/** Waits until a blob of the plan lies on the node. */
async function arrivedAt(node: FakeNode, at: number): Promise<boolean> {
  const [digest, form] = [PLAN.send[at]?.blob.digest, PLAN.send[at]?.form];
  if (digest === undefined || form === undefined) return false;
  while (!node.files.has(`${INBOX}/${wireName(digest, form)}`)) await new Promise(setImmediate);
  return true;
}

describe('while one blob travels', () => {
  /** Sends and notes each blob that was received, by its place in the plan. */
  function receiving(received: number[], then: (at: number) => Promise<void>): SendOptions {
    const receive: SendOptions['receive'] = async ({ blob }) => {
      const at = PLAN.send.findIndex((one) => one.blob.digest === blob.digest);
      received.push(at);
      await then(at);
    };
    return { ...OPTIONS, receive };
  }

  const quiet: Run = { signal: new AbortController().signal, progress: () => undefined };

  test('the next may still be packed', async () => {
    const node = nodeOfUser();
    const slow = async (one: SendBlob): Promise<WireBlob> => {
      if (one === PLAN.send[1]) await arrivedAt(node, 0);
      return wire(one);
    };
    const sent = await sendStep(PLAN, linkTo(node), slow, OPTIONS).run(quiet);
    expect(sent).toMatchObject({ kept: 0 });
  });

  test('the one before it is received, each once and one after the other', async () => {
    const node = nodeOfUser();
    const received: number[] = [];
    let atOnce = 0;
    const options = receiving(received, async () => {
      atOnce += 1;
      expect([await arrivedAt(node, 3), atOnce]).toEqual([true, 1]);
      atOnce -= 1;
    });
    await sendStep(PLAN, linkTo(node), wire, options).run(quiet);
    expect(received).toEqual([0, 1, 2, 3]);
  });

  test('what cannot be received fails the step, after the others were', async () => {
    const received: number[] = [];
    const other = new ShipError('integrity', 'worker: other bytes');
    const options = receiving(received, async (at) => {
      if (at === 1) throw other;
    });
    const sending = sendStep(PLAN, linkTo(nodeOfUser()), wire, options).run(quiet);
    await expect(sending).rejects.toBe(other);
    expect(received).toEqual([0, 1, 2, 3]);
  });

  test('what cannot be received meanwhile is no stray failure', async () => {
    const other = new ShipError('integrity', 'worker: other bytes');
    const options = receiving([], async (at) => {
      if (at === 0) throw other;
    });
    const slow = async (one: SendBlob): Promise<WireBlob> => {
      // Node tells of a failure that nobody hears before the next turn of its loop.
      if (one === PLAN.send[1]) await new Promise((resolve) => setTimeout(resolve, 20));
      return wire(one);
    };
    const sending = sendStep(PLAN, linkTo(nodeOfUser()), slow, options).run(quiet);
    await expect(sending).rejects.toBe(other);
  });

  test('D18: what an earlier run left decoded and is damaged travels after all', async () => {
    const received: number[] = [];
    const damaged = new ShipError('integrity', 'worker: other bytes', { retryable: true });
    const options = receiving(received, async (at) => {
      if (at === 1 && received.filter((one) => one === 1).length === 1) throw damaged;
    });
    const digest = PLAN.send[1]?.blob.digest ?? '';
    const node = fakeNode((command) => {
      if (command === 'id -u') return '1000\n';
      return command.startsWith('ls -1 ') ? `${digest.slice('sha256:'.length)}\n` : undefined;
    });
    const sent = await sendStep(PLAN, linkTo(node), wire, options).run(quiet);
    expect(received).toEqual([0, 1, 1, 2, 3]);
    expect(await arrivedAt(node, 1)).toBe(true);
    expect(sent).toMatchObject({ kept: 0 });
  });

  test('F16: a connection that is lost then costs nothing that was received before', async () => {
    const received: number[] = [];
    const lost = new ShipError('network', 'worker: the connection was lost', { retryable: true });
    const options = receiving(received, async (at) => {
      if (received.filter((one) => one === 2).length === 1 && at === 2) throw lost;
    });
    const node = nodeOfUser();
    await sendStep(PLAN, linkTo(node), wire, options).run(quiet);
    expect(received).toEqual([0, 1, 2, 3, 2]);
    expect(node.asked.filter((what) => what === 'reconnect')).toHaveLength(1);
  });

  test('a form that cannot be made fails the step with its reason', async () => {
    const broken = new ShipError('build', 'zstd could not compress a layer');
    const failing = (one: SendBlob): WireBlob => {
      if (one === PLAN.send[1]) throw broken;
      return wire(one);
    };
    const sending = sendStep(PLAN, linkTo(nodeOfUser()), failing, OPTIONS).run(quiet);
    await expect(sending).rejects.toBe(broken);
  });
});
