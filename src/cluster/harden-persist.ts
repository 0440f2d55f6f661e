import type { Argv } from '../core/remote.ts';
import type { Offloads } from '../facts/offloads.ts';
import type { Setting } from './harden-plan.ts';

/** A command, and what goes to its standard input. */
export interface Writing {
  readonly argv: Argv;
  readonly effect: string;
  readonly input: string;
}

/** As what the settings come back after a reboot: by udev, or by wicked of SUSE. */
export type Keeper = 'udev' | 'wicked';

const IN_ONE_MOMENT =
  'mkdir -p -- "$(dirname -- "$1")" && cat > "$1.new" && chmod 0644 "$1.new" && mv -f -- "$1.new" "$1"';
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
    const argv: Argv = ['sh', '-c', OUR_LINES, 'persist', path];
    return [{ argv, effect: `adds ${kept.length} lines to ${path}`, input: lines.join('') }];
  }
  const path = `/etc/systemd/network/10-ciliumship-${at.device}.link`;
  const input = linkFile(
    at.mac,
    kept.flatMap(({ link }) => link),
  );
  return [{ argv: ['sh', '-c', IN_ONE_MOMENT, 'persist', path], effect: `writes ${path}`, input }];
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
