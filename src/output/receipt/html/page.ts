import type { Receipt } from '../schema.ts';
import { headline, whenAndWhat } from '../words.ts';
import { checksSection } from './checks.ts';
import { imagesSection } from './images.ts';
import { html, type Markup } from '../markup.ts';
import { STYLE } from './style.ts';
import { timelineSection } from './timeline.ts';
import { totalsSection } from './totals.ts';

/**
 * A receipt as one HTML file: no script, nothing from the network (and a policy that forbids both),
 * for wide and narrow screens, light and dark.
 */
export function receiptPage(receipt: Receipt): string {
  const title = `${receipt.command}: ${headline(receipt)}`;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'"
        />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        ${STYLE}
      </head>
      <body>
        <main>
          ${header(receipt)} ${failure(receipt)} ${totalsSection(receipt)}
          ${timelineSection(receipt)} ${imagesSection(receipt)} ${checksSection(receipt)}
          ${footer(receipt)}
        </main>
      </body>
    </html> `;
  return page.markup;
}

function header(receipt: Receipt): Markup {
  const facts = whenAndWhat(receipt).map((fact) => html`<span>${fact}</span> `);
  return html`<header>
    <p class="eyebrow">ciliumship ${receipt.command}</p>
    <h1 class="${receipt.error === undefined ? '' : 'bad'}">${headline(receipt)}</h1>
    <p class="facts">${facts}</p>
  </header>`;
}

function failure({ error }: Receipt): Markup | undefined {
  if (error === undefined) return undefined;
  const details =
    error.details.length === 0 ? undefined : html`<pre>${error.details.join('\n')}</pre>`;
  const hint = error.hint === undefined ? undefined : html`<p class="next">Next: ${error.hint}</p>`;
  return html`<section class="card failure">
    <h2>${error.message}</h2>
    ${details}${hint}
  </section>`;
}

function footer({ ciliumship, config, exitCode }: Receipt): Markup {
  return html`<footer>
    <span>ciliumship ${ciliumship}</span> <span>exit ${exitCode}</span>
    <span class="path">${config}</span>
  </footer>`;
}
