/** The operating system of a node. */
export interface OperatingSystem {
  /** `Debian GNU/Linux 12 (bookworm)`. */
  readonly name: string;
  /** `6.8.0-31-generic`. */
  readonly kernel: string;
}

/** PRETTY_NAME of `/etc/os-release`. */
export function parseOsName(text: string): string {
  return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(text)?.[1] ?? 'unknown';
}

/** Where bpffs is mounted, by `/proc/mounts`; a path twice is one mount over another. */
export function parseBpfMounts(text: string): readonly string[] {
  const lines = text.split('\n').map((line) => line.split(' '));
  return lines.flatMap(([, target, type]) =>
    type === 'bpf' && target !== undefined ? [target] : [],
  );
}

/** The version in what `k3s --version` prints first: `v1.34.4+k3s1`. */
export function parseK3sVersion(text: string): string | undefined {
  return /^k3s version (\S+)/m.exec(text)?.[1];
}

/** The driver that `ethtool -i` names. */
export function parseDriver(text: string): string | undefined {
  return /^driver: (\S+)$/m.exec(text)?.[1];
}

/** Address that our SSH connection ends at: the third word of SSH_CONNECTION. */
export function parseSshAddress(text: string): string | undefined {
  return text.trim().split(' ')[2];
}

/** Interface → Mbit/s, of what `grep` finds in their speed files; -1 is none, as of a bridge. */
export function parseSpeeds(text: string): ReadonlyMap<string, number> {
  const found = text.matchAll(/^\/sys\/class\/net\/([^/\n]+)\/speed:(\d+)$/gm);
  return new Map([...found].map(([, name = '', speed]) => [name, Number(speed)]));
}
