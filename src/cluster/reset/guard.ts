import { ShipError } from '../../core/errors.ts';
import { isPinOf } from '../../facts/bpf.ts';
import { isBelow, type Mount } from '../../facts/mounts.ts';
import type { Remains } from '../../facts/remains.ts';
import { CNI_PATHS, K3S_PATHS } from '../../facts/remains-paths.ts';
import { isCniFile } from './cni-files.ts';
import { sessionOn } from '../../facts/session-links.ts';
import { goes, madeLinks } from './interfaces.ts';
import { isOwn } from './k3s.ts';

/**
 * Why nothing may be removed from a node: data of others would go, or our own connection.
 *
 * @returns undefined when nothing stands in the way
 */
export function refusal(remains: Remains): ShipError | undefined {
  return mountsOfOthers(remains) ?? linkedPaths(remains) ?? ourInterface(remains);
}

function mountsOfOthers({ node, mounts }: Remains): ShipError | undefined {
  const foreign = mounts.filter(({ target }) => isFixed(target) && !isOwn(target));
  if (foreign.length === 0) return undefined;
  return refused(
    `${node}: ${foreign[0]?.target} is a mount, and what is in it would be removed`,
    `unmount it, its data stays: on ${node}: sudo umount ${foreign[0]?.target}`,
    foreign.map(mountText),
  );
}

function isFixed(target: string): boolean {
  return [...K3S_PATHS, ...CNI_PATHS].some((path) => isBelow(target, path));
}

function mountText({ target, source, root }: Mount): string {
  return `${target}: ${source}${root === '/' ? '' : ` (${root})`}`;
}

/** What is behind a link is not on the fixed list. */
function linkedPaths({ node, linked, paths }: Remains): ShipError | undefined {
  const hit = linked.find((folder) => [...paths].some((path) => isBelow(path, folder)));
  if (hit === undefined) return undefined;
  return refused(
    `${node}: ${hit} is a link to another folder, and reset follows none`,
    `remove what is behind it yourself: on ${node}: readlink -f ${hit}`,
  );
}

function ourInterface(remains: Remains): ShipError | undefined {
  const { node, links, sshInterface } = remains;
  const reasons = touched(remains).map((device) => sessionOn(device, links, sshInterface));
  const which = reasons.find((reason) => reason !== undefined);
  if (which === undefined) return undefined;
  return refused(
    `${node}: ${which}`,
    `reach ${node} by another interface (nodes.${node}.ssh); more: ciliumship explain E15`,
  );
}

/** Interfaces that are removed, or that programs are taken off. */
function touched(remains: Remains): readonly string[] {
  const { links, pins, traffic } = remains;
  const real = links.filter(({ name }) => !goes(name));
  const changed = real.filter(
    ({ name, xdp }) =>
      pins.some((pin) => isPinOf(pin, name)) ||
      xdp?.program.startsWith('cil_') === true ||
      traffic?.some(({ device, program }) => device === name && program.startsWith('cil_')) ===
        true,
  );
  return [...madeLinks(remains), ...changed.map(({ name }) => name)];
}

/** K3s's own uninstall, with a CNI's interfaces there, may cut the node off. */
export function cniRefusal(remains: Remains): ShipError | undefined {
  const traces = [
    ...madeLinks(remains),
    ...remains.pins.map(({ path }) => path),
    ...remains.cniFiles.filter(isCniFile).map((name) => `/etc/cni/net.d/${name}`),
  ];
  if (traces.length === 0) return undefined;
  const { node } = remains;
  return refused(
    `${node}: a CNI is there: ${traces.slice(0, 3).join(', ')}`,
    `remove both in the right order: ciliumship reset --nodes ${node} --confirm ${node}`,
  );
}

function refused(message: string, hint: string, details: readonly string[] = []): ShipError {
  return new ShipError('usage', message, { hint, details });
}
