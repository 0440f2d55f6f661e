import { formatSeconds } from '../../../core/text.ts';
import { formatBytes } from '../../progress.ts';
import { lanesOf, ticks, type Bar, type Lane } from '../lanes.ts';
import type { Receipt, ReceiptNode } from '../schema.ts';
import { patchNotes } from '../words.ts';
import { html, type Markup } from '../markup.ts';

/** Colour of the bars → stages that have it; the others look and prepare. */
const TONES: Readonly<Record<string, readonly string[]>> = {
  make: ['Build', 'Archive', 'Export', 'Compress', 'Save'],
  send: ['Send'],
  import: ['Import', 'Prune'],
  deploy: [
    ...['Hold', 'Label', 'Helm', 'Operator', 'Devices', 'Roll out', 'Settle', 'Finish'],
    ...['Evidence', 'Roll back', 'Back', 'Repair'],
  ],
  check: ['Validate'],
};

/** One lane for this machine and one for each node, with a bar for each stage. */
export function timelineSection(receipt: Receipt): Markup | undefined {
  const lanes = lanesOf(receipt).filter(({ bars }) => bars.length > 0);
  if (lanes.length === 0) return undefined;
  const ends = receipt.stages.map(({ end }) => end);
  const total = Math.max(receipt.seconds * 1000, ...ends, 1);
  const drawn = lanes.map((lane) => laneOf(lane, total, receipt.nodes));
  return html`<section class="card timeline">
    <h2>Timeline</h2>
    ${axis(total)}${drawn}
  </section>`;
}

function axis(total: number): Markup {
  const marks = ticks(total).map(
    (at) => html`<span style="left:${percent(at, total)}">${moment(at)}</span>`,
  );
  return html`<div class="axis" aria-hidden="true">${marks}</div>`;
}

/** `0 s`, `20 s`, `1 min`, `1 min 30 s`. */
function moment(at: number): string {
  if (at < 60_000) return `${at / 1000} s`;
  return at % 60_000 === 0 ? `${at / 60_000} min` : formatSeconds(at / 1000);
}

function laneOf({ node, bars }: Lane, total: number, nodes: readonly ReceiptNode[]): Markup {
  const shipped = nodes.find((one) => one.node === node);
  const rows = Math.max(...bars.map(({ row }) => row)) + 1;
  const lines = ticks(total).map((at) => html`<u style="left:${percent(at, total)}"></u>`);
  const patches = shipped === undefined ? [] : patchNotes(shipped);
  const failures = bars.filter(({ failed }) => failed);
  return html`<article class="lane">
    <h3>${node ?? 'this machine'} ${shipped === undefined ? undefined : summary(shipped)}</h3>
    <div class="track" style="--rows:${rows}" aria-hidden="true">
      ${lines}${bars.map((bar) => barOf(bar, total))}
    </div>
    <ul>
      ${bars.filter(isWorthWords).map(chip)}
    </ul>
    ${patches.map((note) => html`<p class="patch">${note}</p>`)}
    ${failures.map(({ stage, text }) => html`<p class="reason">${stage}: ${text}</p>`)}
  </article>`;
}

function summary({ state, bytes, had, whole }: ReceiptNode): Markup {
  const there = had === undefined ? '' : ` · ${had.layers} of ${whole.layers} layers were there`;
  return html`<span class="state ${state === 'failed' ? 'bad' : 'good'}">${state}</span>
    <small>${formatBytes(bytes)} of ${formatBytes(whole.bytes)} sent${there}</small>`;
}

function barOf(bar: Bar, total: number): Markup {
  const { start, end, row } = bar;
  const place = `--at:${percent(start, total)};width:${percent(end - start, total)};--row:${row}`;
  return html`<i class="${tone(bar)}" style="${place}" title="${title(bar)}"></i>`;
}

/** What took no time needs no words, only its place in the order. */
function isWorthWords({ start, end, failed }: Bar): boolean {
  return failed || end - start >= 50;
}

function chip(bar: Bar): Markup {
  return html`<li title="${title(bar)}">
    <i class="${tone(bar)}"></i>${bar.stage} <b>${seconds(bar)}</b>
  </li>`;
}

function title(bar: Bar): string {
  return [`${bar.stage} ${seconds(bar)}`, ...(bar.text === '' ? [] : [bar.text])].join(': ');
}

function tone({ stage, failed }: Bar): string {
  if (failed) return 'failed';
  return Object.keys(TONES).find((name) => TONES[name]?.includes(stage)) ?? 'look';
}

function seconds({ start, end }: Bar): string {
  return formatSeconds((end - start) / 1000);
}

function percent(part: number, total: number): string {
  return `${((part / total) * 100).toFixed(3)}%`;
}
