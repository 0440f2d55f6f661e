import { sh } from './shell.ts';

/** Only bookworm's systemd still boots where the machine has cgroup v1. */
export const SUITE = 'bookworm';

/**
 * Unpacks a small Debian into a folder.
 *
 * @param packages separated by commas
 * @throws Error with the command to run when this process is not root
 */
export async function debootstrap(packages: string, root: string): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new Error(
      'only root can make the Debian of the lab\n  next: sudo env "PATH=$PATH" npm run lab -- up',
    );
  }
  await sh('debootstrap', ['--variant=minbase', `--include=${packages}`, SUITE, root]);
}
