import type { Markup } from '../markup.ts';

/** Everything about how a receipt looks. Tables become lists of pairs where the screen is narrow. */
export const STYLE: Markup = {
  markup: `<style>
:root {
  --page: #f7f7f5; --card: #fff; --line: #e6e6e2; --ink: #1d1f22; --soft: #63676d;
  --good: #17754a; --bad: #b3261e; --bad-page: #fdf1ef;
  --look: #a9afb8; --make: #8a6fd1; --send: #2f7fd6; --import: #249a6b; --deploy: #d08a1d; --check: #1f9aa5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #141518; --card: #1c1e22; --line: #2d3036; --ink: #e8e8e6; --soft: #9a9fa7;
    --good: #5cc596; --bad: #ff8a7f; --bad-page: #2b1a1a;
    --look: #656b75; --make: #9a82e0; --send: #4f9bef; --import: #35b37f; --deploy: #dc9c36; --check: #35b2bd;
  }
}
* { box-sizing: border-box; margin: 0; }
body {
  background: var(--page); color: var(--ink); overflow-wrap: anywhere;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; font-variant-numeric: tabular-nums;
}
main {
  max-width: 61rem; margin: 0 auto; padding: 2.5rem 1.25rem 3rem;
  display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr);
}
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.88em; }
h1 { font-size: 1.75rem; line-height: 1.25; font-weight: 650; letter-spacing: -0.015em; margin: 0.1rem 0 0.35rem; }
h1::first-letter { text-transform: uppercase; }
h2 { font-size: 1rem; font-weight: 600; margin-bottom: 0.9rem; }
h3 { font-size: 0.94rem; font-weight: 600; }
small, .quiet, .note, .facts, .eyebrow { color: var(--soft); }
.good { color: var(--good); }
.bad { color: var(--bad); }
.eyebrow { font-size: 0.87rem; }
.facts { display: flex; flex-wrap: wrap; gap: 0 1.1rem; }

.tiles { display: grid; gap: 0.9rem; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); }
.tile, .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.1rem 1.25rem; }
.tile { display: flex; flex-direction: column; }
.tile p { font-size: 0.87rem; }
.tile .note { margin-bottom: 0.7rem; }
.tile .note:last-child { margin-bottom: 0; }
.tile .name { color: var(--soft); }
.tile .value { font-size: 1.35rem; font-weight: 620; letter-spacing: -0.01em; }
.meter { height: 4px; border-radius: 2px; background: var(--line); margin-top: auto; overflow: hidden; }
.meter i { display: block; height: 100%; background: var(--send); border-radius: 2px; }

.failure { background: var(--bad-page); border-color: var(--bad); display: grid; gap: 0.7rem; }
.failure h2 { color: var(--bad); margin: 0; }
.failure pre { white-space: pre-wrap; }

.axis { position: relative; height: 1.4rem; color: var(--soft); font-size: 0.8rem; }
.axis span { position: absolute; white-space: nowrap; }
.lane { padding: 0.75rem 0 0.9rem; border-top: 1px solid var(--line); }
.lane:last-child { padding-bottom: 0; }
.lane .state, .lane small { font-weight: 400; margin-left: 0.4rem; }
.track { position: relative; height: calc(var(--rows) * 18px - 4px); margin: 0.5rem 0 0.55rem; }
.track u { position: absolute; top: -3px; bottom: -3px; width: 1px; background: var(--line); }
.track i { position: absolute; left: min(var(--at), 100% - 3px); top: calc(var(--row) * 18px); height: 14px; min-width: 3px; border-radius: 3px; }
.lane ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0.1rem 1rem; font-size: 0.87rem; color: var(--soft); }
.lane li b { font-weight: 500; color: var(--ink); }
.lane li i { display: inline-block; width: 9px; height: 9px; border-radius: 3px; margin-right: 0.4rem; }
.reason, .patch { font-size: 0.87rem; margin-top: 0.3rem; }
.reason { color: var(--bad); }
.patch { color: var(--soft); }
i.look { background: var(--look); }
i.make { background: var(--make); }
i.send { background: var(--send); }
i.import { background: var(--import); }
i.deploy { background: var(--deploy); }
i.check { background: var(--check); }
i.failed { background: var(--bad); }

.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.94rem; overflow-wrap: break-word; }
tr > :first-child { position: sticky; left: 0; background: var(--card); }
th, td { text-align: left; vertical-align: top; padding: 0.5rem 1.25rem 0.5rem 0; border-top: 1px solid var(--line); font-weight: 400; }
tr > :last-child { padding-right: 0; }
tbody tr:last-child > * { padding-bottom: 0; }
thead th { border: 0; padding-top: 0; color: var(--soft); font-size: 0.87rem; white-space: nowrap; }
tbody th { font-weight: 550; }
th .quiet { font-weight: 400; }
.number { text-align: right; white-space: nowrap; }
td small { display: block; }
.agents { list-style: none; padding: 0; display: grid; gap: 0.2rem; }
.agents b { font-weight: 550; margin-right: 0.4rem; }
.agents code { color: var(--soft); margin-left: 0.4rem; }
.agents + details { margin-top: 0.7rem; }
summary { cursor: pointer; }
summary + .wide { margin-top: 0.7rem; }
footer { display: flex; flex-wrap: wrap; gap: 0 1.1rem; color: var(--soft); font-size: 0.87rem; }

@media (max-width: 40rem) {
  main { padding: 1.5rem 1rem 2rem; gap: 1rem; }
  h1 { font-size: 1.45rem; }
  .tiles { grid-template-columns: 1fr 1fr; gap: 0.7rem; }
  .tile:last-child:nth-child(odd) { grid-column: span 2; }
  .tile, .card { padding: 0.9rem 1rem; }
  .lane small { display: block; margin: 0; }
  thead { display: none; }
  table, tbody, tr, th { display: block; overflow-wrap: anywhere; }
  tr { border-top: 1px solid var(--line); padding: 0.6rem 0; }
  tr:first-child { border: 0; padding-top: 0; }
  tr:last-child { padding-bottom: 0; }
  th, td, .number { border: 0; padding: 0.1rem 0; text-align: left; }
  tbody tr:last-child > * { padding-bottom: 0.1rem; }
  td { display: grid; grid-template-columns: 7rem minmax(0, 1fr); }
  td::before { content: attr(data-head); color: var(--soft); grid-row: span 2; }
}
</style>`,
};
