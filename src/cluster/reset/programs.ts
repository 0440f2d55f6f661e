import type { Action } from '../../core/action.ts';
import { detachArgv, isPinOf, type Pin, type TrafficProgram } from '../../facts/bpf.ts';
import type { Remains } from '../../facts/remains.ts';
import { goes } from './interfaces.ts';
import type { Phase } from './phase.ts';

/** Below a second mount of the bpffs lie the pins that hold programs. */
export const shadows: Phase = {
  title: 'second bpffs',
  actions: ({ bpfMounts }) =>
    Array.from({ length: Math.max(0, bpfMounts - 1) }, () => ({
      argv: ['umount', '/sys/fs/bpf'] as const,
      effect: 'unmounts a bpffs that hides the first',
    })),
};

/**
 * A pin names its link by interface, type and program, so it is detached by that and never by an id
 * that was read before. Without bpftool the pin goes, which detaches what no process holds.
 */
export const programs: Phase = {
  title: 'BPF programs',
  actions: (remains) => [
    ...remains.pins.flatMap((pin) => unpin(pin, remains.bpftool)),
    ...loose(remains).map(detach),
    ...switchedOn(remains),
  ],
};

function unpin({ device, program, path }: Pin, bpftool: boolean): readonly Action[] {
  const off = { argv: ['bpftool', 'link', 'detach', 'pinned', path] as const };
  const effect = `takes ${program} off ${device}`;
  const remove = { argv: ['rm', '-f', '--', path] as const, effect: `removes its pin` };
  return bpftool ? [{ ...off, effect }, remove] : [{ ...remove, effect }];
}

/** Programs at the traffic control hooks that no pin holds. */
function loose({ traffic, pins, links }: Remains): readonly TrafficProgram[] {
  const real = new Set(links.filter(({ name }) => !goes(name)).map(({ name }) => name));
  return (traffic ?? []).filter(
    (at) =>
      at.program.startsWith('cil_') &&
      real.has(at.device) &&
      !pins.some((pin) => isPinOf(pin, at.device) && pin.program === at.program),
  );
}

function detach(at: TrafficProgram): Action {
  return { argv: detachArgv(at), effect: `takes ${at.program} off ${at.hook} of ${at.device}` };
}

function switchedOn({ links, pins }: Remains): readonly Action[] {
  return links
    .filter(({ name, xdp }) => xdp?.program.startsWith('cil_') === true && !goes(name))
    .filter(({ name }) => !pins.some((pin) => isPinOf(pin, name) && pin.program.includes('xdp')))
    .map(({ name }) => ({
      argv: ['ip', 'link', 'set', 'dev', name, 'xdp', 'off'],
      effect: `takes the XDP program off ${name}`,
    }));
}
