import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';

/** This process, as the holder of a lock describes it. */
export function selfDescription() {
  return {
    holder: { machine: MACHINE, host: hostname(), pid: process.pid, user: userName() },
    isAlive,
  };
}

const MACHINE = machine();

/**
 * Where process ids mean the same: one boot of one kernel, and in it one namespace of process ids, for
 * the containers of a machine share the boot. Where nothing says so, nobody else is here: a lock is
 * watched then, and never taken for a dead one's because of its process id.
 */
function machine(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return `${hostname()} ${randomUUID()}`;
  }
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? '?');
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
