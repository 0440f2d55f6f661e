import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeExtraImage, removeFromDocker } from '../../support/extra-image.ts';
import { missingPart, onlyInAll, run } from '../../support/parts.ts';
import { randomNumbers, seedOf } from '../../support/random.ts';
import { requireStoreNode } from '../../support/store-node.ts';
import { openStoreShip, type StoreShip } from '../../support/store-push.ts';

/**
 * Someone with the rights of the SSH user changes, renames and replaces what arrives on the node, as
 * fast as a shell can, while root decodes and imports it.
 */
const missing =
  onlyInAll('20 pushes, until the attacker has won his race') ??
  (await missingPart('a node', requireStoreNode));
const ROUNDS = 20;
const IMAGE = 'attacker.local/app:1';
const INBOX = '/var/lib/rancher/k3s/ciliumship/in';
const SECRET = '/etc/attacker-secret';

/** What may be done to a file that has arrived, one after the other; a part of one would fail anyway. */
const ATTACK = `cd /tmp; head -c 65536 /dev/urandom > evil; i=0
while [ ! -e /run/peace ]; do for file in ${INBOX}/*; do
  case $file in *.part) continue ;; esac; [ -e "$file" ] || continue
  i=$((i + 1)); : > /tmp/struck
  case $((i % 6)) in
    0) cat evil >> "$file" ;;
    1) cp evil "$file.evil"; mv -f "$file.evil" "$file" ;;
    2) ln -sf ${SECRET} "$file" ;;
    3) mv "$file" "$file.gone" ;;
    4) truncate -s 100 "$file" ;;
    5) printf x | dd of="$file" bs=1 seek=1000 conv=notrunc status=none ;;
  esac 2>/dev/null
done; sleep 0.01; done; true`;

describe.skipIf(missing !== undefined)('an attacker on the node', () => {
  let ship: StoreShip;
  beforeAll(async () => {
    ship = await openStoreShip(IMAGE, { user: 'admin' });
    await ship.node.run(`echo secret > ${SECRET}; chmod 600 ${SECRET}`);
  });
  afterAll(async () => {
    await ship.node.run('touch /run/peace');
    await ship.remove();
    await removeFromDocker('attacker.local');
  });

  it('D10, D11: never gets anything imported, whatever happens to the files that arrive', async () => {
    const random = randomNumbers(seedOf('attacker'));
    const attack = ship.node.run(`su admin -s /bin/sh -c '${ATTACK}'`);
    const codes = new Set<number>();
    const images = new Set<string>();
    for (let round = 0; round < ROUNDS; round += 1) {
      await makeExtraImage(IMAGE, 1_000_000 + random(8_000_000 >> 3) * 8);
      images.add(await run(['docker', 'image', 'inspect', '-f', '{{.Id}}', IMAGE]));
      const ended = await ship.push('transfer: { retry: 0s }');
      codes.add(ended.code);
      expect([0, 5, 7, 8], ended.stderr).toContain(ended.code);
      for (const id of await idsOnNode(ship)) expect(images).toContain(id);
      expect(await broken(ship)).toEqual([]);
    }
    await ship.node.run('touch /run/peace');
    await attack;
    expect(await ship.node.run('ls /tmp')).toContain('struck');
    const healed = await ship.push();
    expect(healed.code, healed.stderr).toBe(0);
    expect(await idsOnNode(ship)).toContain([...images].at(-1));
    expect(await ship.node.run(`cat ${SECRET}`)).toBe('secret');
    process.stderr.write(`attacker: the pushes ended with ${[...codes].join(', ')}\n`);
  }, 1_200_000);
});

/** Every image that the node would start a container from. */
async function idsOnNode({ node }: StoreShip): Promise<readonly string[]> {
  const { images } = JSON.parse(await node.run('k3s crictl images -o json')) as {
    readonly images: readonly { readonly id: string }[];
  };
  return images.map(({ id }) => id);
}

/** Rows of names that do not point at a whole image. */
async function broken({ node }: StoreShip): Promise<readonly string[]> {
  const [, ...rows] = (await node.run('k3s ctr -n k8s.io images check')).split('\n');
  return rows.filter((row) => row !== '' && !/complete .*true\s*$/.test(row));
}
