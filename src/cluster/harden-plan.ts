import { ShipError } from '../core/errors.ts';
import type { Argv } from '../core/remote.ts';
import type { Channels, Offloads } from '../facts/offloads.ts';

/** What is wanted of the interfaces that Cilium attaches to. */
export interface Hardening {
  /** Generic receive offload; undefined leaves it as it is: XDP does not ask for it to be off. */
  readonly gro: boolean | undefined;
  /** Queues of each direction; undefined leaves them as they are. */
  readonly queues: number | undefined;
}

/** One setting of one interface, before and after. */
export interface Setting {
  readonly device: string;
  readonly setting: string;
  readonly before: string;
  readonly wanted: string;
  /** Undefined when there is nothing to change. */
  readonly change?: { readonly argv: Argv; readonly undo: Argv; readonly effect: string };
  /** The same in a file for systemd-udevd, and as options of ethtool; none when the driver has it not. */
  readonly persist?: { readonly link: readonly string[]; readonly ethtool: string };
}

/** A feature: its name in `ethtool -k`, its short one for `-K`, its key in a .link file. */
interface Switch {
  readonly feature: string;
  readonly short: string;
  readonly link: string;
}

const LRO: Switch = { feature: 'large-receive-offload', short: 'lro', link: 'LargeReceiveOffload' };
const HARDWARE_GRO: Switch = {
  feature: 'rx-gro-hw',
  short: 'rx-gro-hw',
  link: 'GenericReceiveOffloadHardware',
};
const GRO: Switch = {
  feature: 'generic-receive-offload',
  short: 'gro',
  link: 'GenericReceiveOffload',
};

/**
 * What is to be changed on one interface. LRO, and GRO in hardware, give XDP packets that no wire
 * carried, so they go where the driver has them; all else only when it was asked for.
 *
 * @throws ShipError `usage` for more queues than the interface has
 */
export function settingsOf(node: string, at: Offloads, wanted: Hardening): readonly Setting[] {
  return [
    feature(at, LRO, false),
    feature(at, HARDWARE_GRO, false),
    ...(wanted.gro === undefined ? [] : [feature(at, GRO, wanted.gro)]),
    ...(wanted.queues === undefined ? [] : queues(node, at, wanted.queues)),
  ];
}

function feature({ device, features }: Offloads, which: Switch, on: boolean): Setting {
  const found = features.get(which.feature);
  const [before, wanted] = [onOff(found?.on), onOff(on)];
  const base = { device, setting: which.short, before, wanted };
  if (found === undefined || found.fixed) {
    return {
      ...base,
      before: found?.on === true ? 'on, fixed' : 'the driver has none',
      wanted: '',
    };
  }
  const effect = `sets ${which.short} of ${device} from ${before} to ${wanted}`;
  const set = (state: string): Argv => ['ethtool', '-K', device, which.short, state];
  return {
    ...base,
    ...(found.on === on ? {} : { change: { argv: set(wanted), undo: set(before), effect } }),
    persist: { link: [`${which.link}=${on}`], ethtool: `-K ${device} ${which.short} ${wanted}` },
  };
}

function onOff(on: boolean | undefined): string {
  return on === true ? 'on' : 'off';
}

const LINK_KEYS = { rx: 'RxChannels', tx: 'TxChannels', combined: 'CombinedChannels' } as const;

function queues(node: string, at: Offloads, count: number): readonly Setting[] {
  const { device, channels } = at;
  const kinds = kindsOf(channels);
  const base = { device, setting: 'queues', wanted: String(count) };
  if (kinds.length === 0) return [{ ...base, before: 'the driver has none', wanted: '' }];
  const most = Math.min(...kinds.map((kind) => channels[kind]?.most ?? 0));
  if (count > most) throw tooMany(node, device, count, most);
  const now = kinds.map((kind) => channels[kind]?.now ?? 0);
  const set = (counts: readonly number[]): Argv => [
    ...(['ethtool', '-L', device] as const),
    ...kinds.flatMap((kind, index) => [kind, String(counts[index])]),
  ];
  const [argv, undo] = [set(kinds.map(() => count)), set(now)];
  const effect = `sets the queues of ${device} to ${count}`;
  return [
    {
      ...base,
      before: [...new Set(now)].join('/'),
      ...(now.every((has) => has === count) ? {} : { change: { argv, undo, effect } }),
      persist: {
        link: kinds.map((kind) => `${LINK_KEYS[kind]}=${count}`),
        ethtool: argv.slice(1).join(' '),
      },
    },
  ];
}

/** Drivers have combined queues, or one kind for each direction. */
function kindsOf(channels: Channels): readonly (keyof Channels)[] {
  if (channels.combined !== undefined) return ['combined'];
  return (['rx', 'tx'] as const).filter((kind) => channels[kind] !== undefined);
}

function tooMany(node: string, device: string, count: number, most: number): ShipError {
  return new ShipError('usage', `${node}: ${device} has at most ${most} queues, not ${count}`, {
    hint: `ciliumship harden --queues ${most} --nodes ${node}`,
  });
}
