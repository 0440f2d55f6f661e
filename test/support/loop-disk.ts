import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { run } from './parts.ts';

/** A file system of its own in a file of this machine: it can be full, frozen, or lose its power. */
export interface LoopDisk {
  /** Where it is mounted. */
  readonly folder: string;
  /** The kernel finds an error on it, and lets nobody write any more. */
  damage(): Promise<void>;
  /** Mends it; nobody may use it meanwhile. */
  repair(): Promise<void>;
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Takes every byte of free room but so many. */
  fill(left: number): Promise<void>;
  /** Gives back what `fill` took. */
  empty(): Promise<void>;
  /** What would be left if the power went at this moment: only what reached the disk. */
  crashCopy(): Promise<LoopDisk>;
  remove(): Promise<void>;
}

/** Throws when this machine gives no loop devices. */
export async function requireLoop(): Promise<void> {
  const disk = await makeLoopDisk(8);
  await disk.remove();
}

/**
 * Makes an ext4.
 *
 * @param megabytes its size
 * @param options of mkfs: `-N 500`
 */
export async function makeLoopDisk(
  megabytes: number,
  options: readonly string[] = [],
): Promise<LoopDisk> {
  const work = mkdtempSync(join(tmpdir(), 'ciliumship-disk-'));
  const file = join(work, 'disk');
  await run(['truncate', '-s', `${megabytes}M`, file]);
  await run(['mkfs.ext4', '-q', '-m', '0', ...options, file]);
  return mounted(work, file);
}

const MOUNT = 'loop,errors=remount-ro';

async function mounted(work: string, file: string): Promise<LoopDisk> {
  const folder = join(work, 'mounted');
  mkdirSync(folder);
  const mount = (): Promise<string> => run(['mount', '-o', MOUNT, file, folder]);
  await mount();
  return {
    folder,
    damage: async () => {
      const device = basename(await run(['findmnt', '-no', 'SOURCE', folder]));
      writeFileSync(`/sys/fs/ext4/${device}/trigger_fs_error`, 'test');
    },
    repair: async () => {
      await run(['umount', folder]);
      await run(['sh', '-c', 'e2fsck -fy "$1" || [ $? = 1 ]', 'fsck', file]);
      await mount();
    },
    freeze: async () => void (await run(['fsfreeze', '-f', folder])),
    thaw: async () => void (await run(['fsfreeze', '-u', folder])),
    fill: (left) => fill(folder, left),
    empty: async () => void (await run(['sh', '-c', 'rm -f "$1"/filler-*', 'empty', folder])),
    crashCopy: async () => {
      const copy = mkdtempSync(join(tmpdir(), 'ciliumship-disk-'));
      await run(['cp', '--sparse=always', file, join(copy, 'disk')]);
      return mounted(copy, join(copy, 'disk'));
    },
    remove: async () => {
      await run(['umount', folder]);
      rmSync(work, { recursive: true });
    },
  };
}

/** Others may write to the disk meanwhile, and be faster. */
const FILL = `cd "$1"; for try in $(seq 20); do
  free=$(df -B1 --output=avail . | tail -n 1)
  [ "$free" -gt "$2" ] || exit 0
  fallocate -l $((free - $2)) "filler-$try" || rm -f "filler-$try"
done; exit 1`;

async function fill(folder: string, left: number): Promise<void> {
  await run(['sh', '-c', FILL, 'fill', folder, String(left)]);
}
