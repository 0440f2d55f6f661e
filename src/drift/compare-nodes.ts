import { unknownCell, type Cell, type Seen } from './cell.ts';

/** A label of a node, or the CiliumNodeConfig of some, as the config wants it. */
export interface NodeSetting {
  /** `label hw-profile of worker`. */
  readonly what: string;
  readonly wanted: string;
  readonly found: string;
}

/** Labels and CiliumNodeConfigs; a deploy sets those that differ. */
export function nodeSettingCells(settings: Seen<readonly NodeSetting[]>): readonly Cell[] {
  if ('why' in settings) {
    const cell = { what: 'nodes', place: 'release', wanted: 'as configured' } as const;
    return [unknownCell(cell, settings.why)];
  }
  return settings.seen.map(({ what, wanted, found }) => {
    const cell = { what, place: 'release', wanted, found } as const;
    return wanted === found
      ? { ...cell, state: 'ok' }
      : { ...cell, state: 'drift', remedy: 'ciliumship deploy' };
  });
}
