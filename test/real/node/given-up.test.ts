import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONTAINERD_VERSIONS, DEFAULT_CONTAINERD } from '../../../lab/containerd.ts';
import type { Ended } from '../../support/cli.ts';
import { makeLayeredImage, removeFromDocker } from '../../support/extra-image.ts';
import { missingPart, until } from '../../support/parts.ts';
import { requireStoreNode } from '../../support/store-node.ts';
import { openStoreShip, type StoreShip } from '../../support/store-push.ts';

/**
 * Who gives up a push gives the node back when its import is over there, and not before: sshd passes
 * root no signal on. Only with `CILIUMSHIP_TEST_ALL=1`: test/e2e/interrupt.test.ts always looks whether
 * anything is at work after a Ctrl-C.
 */
const missing = await missingPart('a node', requireStoreNode);
const ALL = process.env['CILIUMSHIP_TEST_ALL'] === '1';
const IMAGE = 'given-up.local/app:1';
/** 20 MB take 20 seconds into containerd: whoever waits less has ended an import that was at work. */
const SLOW = 'import: { maxRate: 1MB }';
const LOCK = '/var/lib/rancher/k3s/ciliumship/lock';
const AT_WORK = "pgrep -fa '[c]tr .*images import -' || true";
/** Every name, with what it points at. */
const NAMES = "k3s ctr -n k8s.io images ls | awk '{ print $1, $3 }'";
/** Says what is at work in the moment in which the node is given back. */
const GIVEN_BACK = `while [ -e ${LOCK} ]; do sleep 0.01; done; ${AT_WORK}`;

describe.skipIf(missing !== undefined || !ALL).each(CONTAINERD_VERSIONS)(
  'containerd %s',
  (version) => {
    let ship: StoreShip;
    let before: string;
    beforeAll(async () => {
      // As root, and by sudo.
      const user = version === DEFAULT_CONTAINERD ? 'root' : 'admin';
      ship = await openStoreShip(IMAGE, { version, user });
      await makeLayeredImage(IMAGE, 1_000_000, 1_000_000);
      const ended = await ship.push();
      expect(ended.code, ended.stderr).toBe(0);
      before = await ship.node.run(NAMES);
      await makeLayeredImage(IMAGE, 1_000_000, 20_000_000);
    });
    afterAll(async () => {
      await ship.remove();
      await removeFromDocker('given-up.local');
    });

    /** Starts a push, and ends it by this signal when ctr is at work. */
    async function giveUp(
      reason: 'SIGINT' | 'SIGKILL',
    ): Promise<Ended & { readonly left: string }> {
      const kill = new AbortController();
      const pushing = ship.push(SLOW, { killOn: kill.signal });
      await until('ctr is at work', 60, async () => (await ship.node.run(AT_WORK)) !== '');
      const givenBack = reason === 'SIGINT' ? ship.node.run(GIVEN_BACK) : undefined;
      kill.abort(reason);
      const ended = await pushing;
      return { ...ended, left: (await givenBack) ?? (await ship.node.run(AT_WORK)) };
    }

    it('F16: an import that Ctrl-C gave up is over when the node is given back, and names nothing later', async () => {
      const { code, stderr, left } = await giveUp('SIGINT');
      expect(code, stderr).toBe(130);
      expect(left).toBe('');
      expect(await ship.node.run(NAMES)).toBe(before);
    });

    it('F16: an import that outlived us is ended by the next run, which brings the image', async () => {
      const { left } = await giveUp('SIGKILL');
      expect(left).not.toBe('');
      const healed = await ship.push();
      expect(healed.code, healed.stderr).toBe(0);
      expect(await ship.node.run(AT_WORK)).toBe('');
      expect(await ship.node.leftovers()).toBe('');
    });
  },
);
