import type { OpenFile } from './open-file.ts';
import { writeSpeed } from './write-speed.ts';
import { writeWindow, type WriteWindow } from './write-window.ts';

/** Connections to one node at most. */
const MOST = 4;

/** One of the ways into a file, each over a connection of its own. */
export interface Lane extends OpenFile {
  readonly window: WriteWindow;
  underWay: number;
}

/** All ways into a file. */
export interface Lanes {
  /** The idlest way that takes one more write; undefined when all have enough under way. */
  free(): Lane | undefined;
  /** @param took milliseconds */
  acknowledged(lane: Lane, bytes: number, took: number): void;
  /** Every open file, as it stands now. */
  files(): readonly OpenFile[];
}

/**
 * The ways into a file: one at first, and more when the round trip holds them back. One that cannot
 * be had, because sshd lets nobody else in, is not asked for again.
 *
 * @param roundTrip milliseconds of a question to the idle node
 * @param another opens the file over another connection, the first of them for 1
 */
export function openLanes(
  first: OpenFile,
  roundTrip: number,
  another: (index: number) => Promise<OpenFile>,
): Lanes {
  const lanes = [laneOf(first)];
  const speed = writeSpeed(roundTrip);
  let busy = false;
  const widen = async (): Promise<void> => {
    if (busy || lanes.length === MOST || !speed.isHeldBack(lanes.length)) return;
    busy = true;
    lanes.push(laneOf(await another(lanes.length)));
    busy = false;
  };
  return {
    free: () =>
      lanes
        .filter(({ underWay, window }) => underWay < window.size)
        .toSorted((one, other) => one.underWay - other.underWay)[0],
    acknowledged: (lane, bytes, took) => {
      lane.underWay -= 1;
      lane.window.acknowledged(took);
      speed.acknowledged(bytes, took);
      void widen().catch(() => undefined);
    },
    files: () => lanes,
  };
}

function laneOf(file: OpenFile): Lane {
  return { ...file, window: writeWindow(), underWay: 0 };
}
