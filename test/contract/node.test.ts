import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Remote } from '../../src/core/remote.ts';
import type { NodeStore } from '../../src/facts/node-store.ts';
import { PINNED_LABEL } from '../../src/facts/node-store.ts';
import { runProcess } from '../../src/system/process.ts';
import { openSession, type Session } from '../../src/system/ssh/session.ts';
import { probeNode } from '../../src/transfer/probe.ts';
import { SSH_CONFIG } from '../../lab/ssh.ts';
import { requireLab } from '../support/lab.ts';
import { missingPart } from '../support/parts.ts';
import { recordedNode } from '../support/recorded-node.ts';

const missing = await missingPart('the lab', requireLab);
const { signal } = new AbortController();
const PAUSE = 'docker.io/rancher/mirrored-pause:3.6';

const sessions: Session[] = [];

/** A node of the lab: master as root, worker through sudo. */
async function labNode(name: string): Promise<Remote> {
  const options = { sshConfig: SSH_CONFIG, hostKeys: 'strict', runLocal: runProcess } as const;
  const session = await openSession(name, name, options, signal);
  sessions.push(session);
  return session;
}

describe.each([
  ['recorded answers', async (): Promise<Remote> => recordedNode(), undefined],
  ['a node reached as root', (): Promise<Remote> => labNode('master'), missing],
  ['a node reached through sudo', (): Promise<Remote> => labNode('worker'), missing],
])('%s', (_, open, skip) => {
  describe.skipIf(skip !== undefined)('say of a node', () => {
    let store: NodeStore;

    beforeAll(async () => {
      store = await probeNode(await open(), signal);
    });
    afterAll(async () => {
      await Promise.all(sessions.splice(0).map((session) => session[Symbol.asyncDispose]()));
    });

    test('K2: which containerd it is', () => {
      expect(store.containerd).toMatch(/^[12]\.\d+\.\d+$/);
    });

    test('that K3s’s own pause image is whole and pinned', () => {
      expect(store.checked.get(PAUSE)).toMatchObject({ complete: true, unpacked: true });
      expect(store.images.get(PAUSE)?.labels.get(PINNED_LABEL)).toBe('pinned');
    });

    test('the same digest in every list', () => {
      for (const [ref, { digest }] of store.images) {
        if (ref.startsWith('sha256:')) continue;
        expect(store.checked.get(ref)?.digest, ref).toBe(digest);
        expect(store.content.has(digest), ref).toBe(true);
      }
    });

    test('what the CRI calls it, by config digest', () => {
      const pause = store.cri.find(({ names }) => names.includes(PAUSE));
      expect(pause?.id).toMatch(/^sha256:[0-9a-f]{64}$/);
    });

    test('how much space is left and that zstd is there', () => {
      expect(store.free).toBeGreaterThan(1e9);
      expect(store.zstd).toBe(true);
    });
  });
});
