import type { Link } from './links.ts';

/**
 * Interfaces that our SSH session passes through: the one with its address, what that one stands on
 * (the card of a VLAN, the ports of a bond or a bridge), and the bond or bridge that any of these is a
 * port of. A VLAN beside it on the same card is none of them.
 *
 * @param ssh name of the interface with the session's address
 */
export function sessionLinks(links: readonly Link[], ssh: string): ReadonlySet<string> {
  const passed = new Set([ssh]);
  // A set that grows while it is walked is walked to its end.
  for (const name of passed) for (const next of besides(links, name)) passed.add(next);
  return passed;
}

function besides(links: readonly Link[], name: string): readonly string[] {
  const own = links.filter((link) => link.name === name);
  const ports = links.filter(({ master }) => master === name);
  return [
    ...own.flatMap(({ parent, master }) => [parent, master].filter((each) => each !== undefined)),
    ...ports.map((port) => port.name),
  ];
}

/**
 * Why a device is left alone that our SSH session passes through; undefined when it does not.
 *
 * @param ssh undefined when nobody knows: then it may be any
 */
export function sessionOn(
  device: string,
  links: readonly Link[],
  ssh: string | undefined,
): string | undefined {
  if (ssh === undefined) {
    return `which interface carries our own SSH session is not known, so ${device} is left alone`;
  }
  if (!sessionLinks(links, ssh).has(device)) return undefined;
  const of = device === ssh ? 'our own SSH session' : `our own SSH session on ${ssh}`;
  return `${device} carries ${of} and is left alone`;
}
