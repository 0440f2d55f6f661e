import { shortDigest } from '../../../core/digest.ts';
import { counted } from '../../../core/text.ts';
import type { Receipt } from '../schema.ts';
import { html, type Markup } from '../markup.ts';

/** What runs after a deploy, and what was checked there. */
export function checksSection({ deploy, checks }: Receipt): Markup | undefined {
  if (deploy === undefined && checks.length === 0) return undefined;
  const agents = (deploy?.agents ?? []).map(
    ({ node, pod, image }) =>
      html`<li>
        <b>${node ?? 'no node yet'}</b> ${pod}
        ${image === undefined ? undefined : html`<code>${shortDigest(image)}</code>`}
      </li>`,
  );
  const list =
    agents.length === 0
      ? undefined
      : html`<ul class="agents">
          ${agents}
        </ul>`;
  return html`<section class="card">
    <h2>Running</h2>
    ${list}${trafficLine(deploy?.traffic)}${checksTable(checks)}
  </section>`;
}

type Traffic = NonNullable<NonNullable<Receipt['deploy']>['traffic']>;

function trafficLine(traffic: Traffic | undefined): Markup | undefined {
  if (traffic === undefined) return undefined;
  const { sent, lost } = traffic;
  const words = `${lost === 0 ? 'none' : lost} of ${counted(sent, 'ping')} between pods lost`;
  return html`<p>${words}</p>`;
}

function checksTable(checks: Receipt['checks']): Markup | undefined {
  if (checks.length === 0) return undefined;
  const rows = checks.map(
    ({ node, check, state, wanted, found, remedy }) =>
      html`<tr>
        <th scope="row">${node} <span class="quiet">${check}</span></th>
        <td data-head="state"><span class="${TONES[state]}">${state}</span></td>
        <td data-head="wanted">${wanted}</td>
        <td data-head="found">
          ${found}${remedy === undefined ? undefined : html`<small>${remedy}</small>`}
        </td>
      </tr>`,
  );
  const good = checks.filter(({ state }) => state === 'ok').length;
  return html`<details ${good === checks.length ? undefined : html`open`}>
    <summary>${good} of ${counted(checks.length, 'check')} ok</summary>
    <div class="wide">
      <table>
        <thead>
          <tr>
            <th scope="col">check</th>
            <th scope="col">state</th>
            <th scope="col">wanted</th>
            <th scope="col">found</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
  </details>`;
}

const TONES = { ok: 'good', failed: 'bad', unknown: 'quiet' } as const;
