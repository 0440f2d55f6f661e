import type { Argv, Remote } from '../core/remote.ts';
import type { Offloads } from '../facts/offloads.ts';
import type { Setting } from './harden-plan.ts';

/** A command, and what goes to its standard input. */
export interface Writing {
  readonly argv: Argv;
  readonly effect: string;
  readonly input: string;
  /** Given the same input it ends with 0 when nothing is to be written, and with 1 otherwise. */
  readonly there: Argv;
}

/** As what the settings come back after a reboot: by udev, or by wicked of SUSE. */
export type Keeper = 'udev' | 'wicked';

const IN_ONE_MOMENT =
  'mkdir -p -- "$(dirname -- "$1")" && cat > "$1.new" && chmod 0644 "$1.new" && mv -f -- "$1.new" "$1"';
const SAME = 'wanted=$(cat); [ "$(cat -- "$1" 2>/dev/null)" = "$wanted" ]';
const SAME_LINES =
  'wanted=$(cat); [ "$(grep "^ETHTOOL_OPTIONS_ciliumship" -- "$1" 2>/dev/null)" = "$wanted" ]';
/** Keeps every line of the file but ours; a name with a dot in front is no interface to wicked. */
const OUR_LINES =
  'part="$(dirname -- "$1")/.$(basename -- "$1").new" && cp -p -- "$1" "$part" && { grep -v "^ETHTOOL_OPTIONS_ciliumship" -- "$1"; cat; } > "$part" && mv -f -- "$part" "$1"';

/** What makes the settings of one interface last; none when its driver has none of them. */
export function persistence(
  keeper: Keeper,
  at: Offloads,
  settings: readonly Setting[],
): readonly Writing[] {
  const kept = settings.flatMap(({ persist }) => persist ?? []);
  if (kept.length === 0 || at.mac === undefined) return [];
  if (keeper === 'wicked') {
    const path = `/etc/sysconfig/network/ifcfg-${at.device}`;
    const lines = kept.map(
      ({ ethtool }, index) => `ETHTOOL_OPTIONS_ciliumship${index}='${ethtool}'\n`,
    );
    const effect = `adds ${kept.length} lines to ${path}`;
    return [writing(path, effect, lines.join(''), { write: OUR_LINES, same: SAME_LINES })];
  }
  const path = `/etc/systemd/network/10-ciliumship-${at.device}.link`;
  const input = linkFile(
    at.mac,
    kept.flatMap(({ link }) => link),
  );
  return [writing(path, `writes ${path}`, input, { write: IN_ONE_MOMENT, same: SAME })];
}

/** Those of the writings that the node does not have yet. Throws as `Remote.run`. */
export async function unwritten(
  remote: Remote,
  writings: readonly Writing[],
  signal: AbortSignal,
): Promise<readonly Writing[]> {
  const codes = await Promise.all(
    writings.map(({ there, input }) =>
      remote.run(there, { sudo: true, signal, input, accept: [1] }),
    ),
  );
  return writings.filter((_, index) => codes[index]?.code !== 0);
}

function writing(
  path: string,
  effect: string,
  input: string,
  scripts: { readonly write: string; readonly same: string },
): Writing {
  const argvOf = (script: string): Argv => ['sh', '-c', script, 'persist', path];
  return { argv: argvOf(scripts.write), effect, input, there: argvOf(scripts.same) };
}

/**
 * The first .link file that matches decides everything, so this one says what the distribution's
 * own says of names too: otherwise the interface would come up under another one.
 */
function linkFile(mac: string, lines: readonly string[]): string {
  return `# Written by ciliumship harden --persist; remove it to undo that.
[Match]
MACAddress=${mac}
Type=ether

[Link]
NamePolicy=keep kernel database onboard slot path
AlternativeNamesPolicy=database onboard slot path mac
MACAddressPolicy=persistent
${lines.join('\n')}
`;
}
