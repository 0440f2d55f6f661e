import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { CONTAINERD_VERSIONS, DEFAULT_CONTAINERD } from '../../../lab/containerd.ts';
import { makeLayeredImage, removeFromDocker } from '../../support/extra-image.ts';
import { roundsOf, survivedWith, VICTIMS } from '../../support/kill/rounds.ts';
import { watchNames, type WholeImage } from '../../support/kill/watch-names.ts';
import { missingPart, run } from '../../support/parts.ts';
import { seedOf } from '../../support/random.ts';
import { requireStoreNode } from '../../support/store-node.ts';
import { openStoreShip, type StoreShip } from '../../support/store-push.ts';

/**
 * Kills something at a random moment of a push, again and again, while someone looks at the final
 * names every 20 ms: they never are anything but an old or a new whole image, and the rerun ends
 * like a clean run. `CILIUMSHIP_TEST_ALL=1` kills 100 times with each containerd, `KILLS=40` as often
 * as you like. With the SEED of an earlier run what that one survived is not run again.
 */
const missing = await missingPart('a node', requireStoreNode);
const ALL = process.env['CILIUMSHIP_TEST_ALL'] === '1';
const ROUNDS = Number(process.env['KILLS'] ?? (ALL ? 100 : 12));
const VERSIONS = ALL ? CONTAINERD_VERSIONS : [DEFAULT_CONTAINERD];
/** Another run on this machine makes images of its own. */
const HOST = `kill-${process.pid}.local`;
const IMAGE = `${HOST}/app:1`;
const SEED = seedOf('kill');

describe.skipIf(missing !== undefined).each(VERSIONS)('a push to containerd %s', (version) => {
  const survived = survivedWith(SEED, version);
  let ship: StoreShip;
  let seconds = 5;
  const ids: string[] = [];
  const images: WholeImage[] = [];

  const push = (options: { readonly killAfter?: number } = {}) =>
    ship.push('transfer: { retry: 0s }', options);

  /** Two images take turns under one name; each push must bring the other one’s layer. */
  const tag = (turn: number): Promise<string> =>
    run(['docker', 'tag', `${HOST}/turn:${turn}`, IMAGE]);

  beforeAll(async () => {
    ship = await openStoreShip(IMAGE, { version, user: 'admin' });
    for (const turn of [0, 1]) {
      ids.push(await makeLayeredImage(`${HOST}/turn:${turn}`, 4_000_000, 8_000_000));
      await tag(turn);
      const started = performance.now();
      const ended = await push();
      expect(ended.code, ended.stderr).toBe(0);
      seconds = (performance.now() - started) / 1000;
      images.push(await wholeImage(ship));
    }
  });
  afterAll(async () => {
    await ship.remove();
    await removeFromDocker(HOST);
  });

  it.each(roundsOf(SEED, ROUNDS))(
    '$faults: $victim killed in round $round after $share of its time',
    async (one) => {
      if (survived.has(one)) return;
      const turn = one.round % 2;
      await tag(turn);
      const watch = watchNames(ship.node.pid, namesOf(ids), images);
      let watching = true;
      onTestFinished(async () => void (watching && (await watch.stop())));
      const after = one.share * seconds * 1000;
      const pushed = push(one.victim === 'us' ? { killAfter: after } : {});
      const script = VICTIMS[one.victim];
      if (script !== undefined) await sleep(after).then(() => ship.node.run(script));
      const cut = await pushed;
      expect(cut.code, cut.stderr).not.toBe(1);
      const healed = await push();
      expect(healed.code, healed.stderr).toBe(0);
      watching = false;
      const { broken, looks } = await watch.stop();
      expect(broken).toEqual([]);
      expect(looks).toBeGreaterThan(10);
      expect(await ship.node.run('k3s crictl images --no-trunc')).toContain(ids[turn]);
      expect(await ship.node.leftovers()).toBe('');
      survived.add(one);
    },
  );
});

/** Every final name: of the tag, and of each image. */
function namesOf(ids: readonly string[]): readonly string[] {
  return [IMAGE, ...ids.map((id) => `${IMAGE}-${id.slice(7, 19)}`)];
}

/** What the image under the final name is made of. */
async function wholeImage({ node }: StoreShip): Promise<WholeImage> {
  const get = async (digest: string): Promise<unknown> =>
    JSON.parse(await node.run(`k3s ctr -n k8s.io content get ${digest}`));
  const row = await node.run(`k3s ctr -n k8s.io images ls name==${IMAGE}`);
  const manifest = /sha256:[0-9a-f]{64}/.exec(row)?.[0] ?? '';
  const { config, layers } = (await get(manifest)) as {
    readonly config: { readonly digest: string };
    readonly layers: readonly { readonly digest: string }[];
  };
  const { rootfs } = (await get(config.digest)) as { rootfs: { diff_ids: readonly string[] } };
  const chain = rootfs.diff_ids.reduce((below, id) => sha256(`${below} ${id}`));
  return {
    manifest,
    blobs: [manifest, config.digest, ...layers.map(({ digest }) => digest)],
    chain,
  };
}

function sha256(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
