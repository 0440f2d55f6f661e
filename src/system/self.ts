import { readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';

/** This process, as the holder of a lock describes it. */
export function selfDescription() {
  return {
    holder: { machine: machine(), host: hostname(), pid: process.pid, user: userName() },
    isAlive,
  };
}

/** The kernel's id of this boot, where there is one: process ids begin anew with each. */
function machine(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return hostname();
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
