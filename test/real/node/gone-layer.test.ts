import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CONTAINERD_VERSIONS, DEFAULT_CONTAINERD } from '../../../lab/containerd.ts';
import { makeLayeredImage, removeFromDocker } from '../../support/extra-image.ts';
import { missingPart, run } from '../../support/parts.ts';
import { K3S, requireStoreNode } from '../../support/store-node.ts';
import { openStoreShip, type StoreShip } from '../../support/store-push.ts';

/**
 * A layer that a node has when it is asked, and not any more when the image is imported that needs
 * it; with every containerd when `CILIUMSHIP_TEST_ALL=1`.
 */
const missing = await missingPart('a node', requireStoreNode);
const ALL = process.env['CILIUMSHIP_TEST_ALL'] === '1';
const VERSIONS = ALL ? CONTAINERD_VERSIONS : [DEFAULT_CONTAINERD];
const IMAGE = 'gone.local/app:1';
const CTR = `${K3S} ctr -n k8s.io`;

/** Does harm once, as an import begins. */
const HARMS = `#!/bin/sh
case "$*" in *"images import"*) [ ! -e /run/harm ] || { mv /run/harm /run/done; sh /run/done > /run/harm.log 2>&1; };; esac
exec ${K3S} "$@"`;

describe.skipIf(missing !== undefined).each(VERSIONS)('containerd %s', (version) => {
  let ship: StoreShip;
  let base: string;
  beforeAll(async () => {
    ship = await openStoreShip(IMAGE, { version, user: 'admin' });
    const place = `cat > /usr/local/bin/k3s <<'EOF'\n${HARMS}\nEOF\nchmod +x /usr/local/bin/k3s`;
    await ship.node.run(`rm /usr/local/bin/k3s; ${place}`);
  });
  afterAll(async () => {
    await ship.remove();
    await removeFromDocker('gone.local');
  });
  /** The node has an earlier image over the same base. */
  beforeEach(async () => {
    await makeLayeredImage(IMAGE, 1_000_000, 1_000_000);
    base = await run(['docker', 'image', 'inspect', '-f', '{{index .RootFS.Layers 0}}', IMAGE]);
    await pushed();
    await makeLayeredImage(IMAGE, 1_000_000, 1_000_000);
  });

  async function pushed(): Promise<void> {
    const ended = await ship.push();
    expect(ended.code, ended.stderr).toBe(0);
    expect(await ship.node.run(`${CTR} images check name==${IMAGE}`)).toMatch(/complete.*true\s*$/);
    expect(await ship.node.leftovers()).toBe('');
  }

  it.each([
    [
      'F25: a layer that is collected with the image it came with comes in the same run',
      `${CTR} images rm --sync $(${CTR} images ls -q | grep -e '^gone.local/' -e '^sha256:')`,
    ],
    [
      'F25: a layer of which only the bytes are lost comes in the same run',
      `${CTR} content rm BASE`,
    ],
  ])('%s', async (_title, harm) => {
    const text = harm.replace('BASE', base);
    await ship.node.run(`cat > /run/harm <<'EOF'\n${text}\n${CTR} content ls -q\nEOF`);
    await pushed();
    const left = await ship.node.run('cat /run/harm.log');
    expect(left).toContain('sha256:');
    expect(left.split('\n').slice(1)).not.toContain(base);
    expect(await ship.node.run(`${CTR} content ls -q`)).toContain(base);
  });
});
