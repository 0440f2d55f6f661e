import { counted, formatSeconds } from '../../../core/text.ts';
import { formatBytes } from '../../progress.ts';
import type { Receipt } from '../schema.ts';
import { totalsOf, type Totals } from '../totals.ts';
import { html, type Markup } from '../markup.ts';

interface Tile {
  readonly name: string;
  readonly value: string;
  readonly note: string;
  /** From 0 to 1, drawn as a bar. */
  readonly share?: number;
}

/** The figures of a run: what was sent against what the images hold, and how long it took. */
export function totalsSection(receipt: Receipt): Markup | undefined {
  if (receipt.nodes.length === 0) return undefined;
  return html`<section class="tiles" aria-label="Totals">
    ${[...shippingTiles(receipt), timeTile(receipt)].map(tile)}
  </section>`;
}

function shippingTiles({ nodes, images }: Receipt): readonly Tile[] {
  const { sent, whole, hadLayers, wholeLayers, hadBytes, patches, proved } = totalsOf(nodes);
  return [
    {
      name: 'Sent',
      value: formatBytes(sent),
      note: `of ${formatBytes(whole)} in the images`,
      share: share(sent, whole),
    },
    {
      name: 'Already there',
      value: `${hadLayers} of ${wholeLayers}`,
      note: `layers, ${formatBytes(hadBytes)}`,
      share: share(hadBytes, whole),
    },
    ...(patches.layers === 0 ? [] : [patchTile(patches)]),
    {
      name: 'Proved',
      value: `${proved} of ${nodes.length}`,
      note: `nodes, ${counted(images.length, 'image')} each`,
      share: share(proved, nodes.length),
    },
  ];
}

function patchTile({ layers, bytes, whole }: Totals['patches']): Tile {
  return {
    name: 'As patches',
    value: formatBytes(bytes),
    note: `of ${formatBytes(whole)} in ${counted(layers, 'layer')}`,
    share: share(bytes, whole),
  };
}

function timeTile({ seconds, stages }: Receipt): Tile {
  const length = ({ start, end }: Receipt['stages'][number]): number => end - start;
  const longest = stages.toSorted((a, b) => length(b) - length(a))[0];
  const note =
    longest === undefined ? '' : `${longest.stage} ${formatSeconds(length(longest) / 1000)} of it`;
  return { name: 'Time', value: formatSeconds(seconds), note };
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.min(1, part / whole);
}

function tile({ name, value, note, share: filled }: Tile): Markup {
  const bar =
    filled === undefined
      ? undefined
      : html`<div class="meter"><i style="width:${(filled * 100).toFixed(1)}%"></i></div>`;
  return html`<div class="tile">
    <p class="name">${name}</p>
    <p class="value">${value}</p>
    <p class="note">${note}</p>
    ${bar}
  </div>`;
}
