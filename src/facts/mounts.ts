/** A mount, by `/proc/self/mountinfo`. */
export interface Mount {
  readonly target: string;
  /** Path inside of the file system that is mounted: not `/` for a bind mount of a folder. */
  readonly root: string;
  readonly type: string;
  readonly source: string;
}

/** Mounts of `/proc/self/mountinfo`, the deepest first, as they can be taken off. */
export function parseMounts(text: string): readonly Mount[] {
  return text
    .split('\n')
    .flatMap((line) => parseLine(line))
    .toSorted((a, b) => b.target.split('/').length - a.target.split('/').length);
}

function parseLine(line: string): readonly Mount[] {
  const [front = '', back = ''] = line.split(' - ');
  const [, , , root, target] = front.split(' ');
  const [type = '', source = ''] = back.split(' ');
  if (root === undefined || target === undefined) return [];
  return [{ root: unescape(root), target: unescape(target), type, source: unescape(source) }];
}

/** The kernel writes blanks and backslashes as three octal digits. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** Whether a mount is on a path or below it. */
export function isBelow(target: string, path: string): boolean {
  return target === path || target.startsWith(`${path}/`);
}
