/**
 * Network namespaces by the addresses in them, of `ip -all netns exec ip -o addr`: a line
 * `netns: NAME`, then one line for each address.
 */
export function parseNetns(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let current = '';
  for (const line of text.split('\n')) {
    current = /^netns: (\S+)$/.exec(line)?.[1] ?? current;
    const address = / inet6? ([^/\s]+)/.exec(line)?.[1];
    if (address !== undefined && address !== '127.0.0.1' && address !== '::1') {
      found.set(address, current);
    }
  }
  return found;
}
