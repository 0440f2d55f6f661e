import { expect, test } from 'vitest';
import { heldSession } from '../../../src/commands/shared/held-session.ts';
import { cleanNode } from '../../../src/import/import.ts';
import type { Session } from '../../../src/system/ssh/session.ts';
import { fakeNode, type FakeNode } from '../../support/fake-node.ts';

const { signal } = new AbortController();

/** A session with `node`, and what takes its lock away. */
function held(node: FakeNode) {
  const lock = new AbortController();
  const session: Session = {
    ...node,
    reconnect: async () => undefined,
    restore: async () => undefined,
    tunnel: async () => expect.unreachable('no tunnel is needed'),
    [Symbol.asyncDispose]: async () => undefined,
  };
  return {
    session: heldSession(session, lock.signal),
    lose: () => lock.abort(new Error('taken over')),
  };
}

test('a node that is ours gets every command, with its options', async () => {
  const node = fakeNode(() => ({ code: 3 }));
  const { session } = held(node);
  expect(await session.run(['true'], { sudo: true, accept: [3] })).toMatchObject({ code: 3 });
  expect(node.asked).toEqual(['sudo true']);
});

test('D19: nothing more is done on a node that someone took over, no clean-up either', async () => {
  const node = fakeNode();
  const { session, lose } = held(node);
  await session.write('/in/blob', bytes());
  lose();
  const acts = [
    () => session.run(['rm', 'x'], { sudo: true }),
    () => session.write('/in/other', bytes()),
    () => session.rename('/in/blob', '/in/done'),
    () => session.remove('/in/blob'),
    () => cleanNode(session, signal),
  ];
  for (const act of acts) await expect(act()).rejects.toThrow('taken over');
  expect(node.asked).toEqual(['write /in/blob']);
});

test('D19: the command that is under way is given up', async () => {
  const waiting = fakeNode();
  waiting.run = async (_, options) =>
    new Promise((_resolve, reject) => {
      options?.signal?.addEventListener('abort', () => reject(options.signal?.reason as Error));
    });
  const { session, lose } = held(waiting);
  const running = session.run(['sleep', '60'], { signal });
  lose();
  await expect(running).rejects.toThrow('taken over');
});

test('one that is interrupted is given up for that reason, while the node is ours', async () => {
  const stop = AbortSignal.abort(new Error('interrupted'));
  const { session } = held(fakeNode());
  await expect(session.run(['true'], { signal: stop })).rejects.toThrow('interrupted');
});

async function* bytes(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('x');
}
