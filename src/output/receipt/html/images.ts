import { shortDigest } from '../../../core/digest.ts';
import { shortName } from '../../../core/image.ts';
import type { Receipt, ReceiptImage, ReceiptNode } from '../schema.ts';
import { placeOf, sizeText } from '../words.ts';
import { html, type Markup } from '../markup.ts';

/** Which image is on which node, and what was there before. */
export function imagesSection({ images, nodes }: Receipt): Markup | undefined {
  if (images.length === 0 || nodes.length === 0) return undefined;
  const head = nodes.map(({ node }) => html`<th scope="col">${node}</th>`);
  return html`<section class="card">
    <h2>Images</h2>
    <div class="wide">
      <table>
        <thead>
          <tr>
            <th scope="col">image</th>
            <th scope="col">config digest</th>
            <th scope="col" class="number">size</th>
            ${head}
          </tr>
        </thead>
        <tbody>
          ${images.map((image) => row(image, nodes))}
        </tbody>
      </table>
    </div>
  </section>`;
}

function row(image: ReceiptImage, nodes: readonly ReceiptNode[]): Markup {
  const cells = nodes.map((node) => html`<td data-head="${node.node}">${onNode(image, node)}</td>`);
  return html`<tr>
    <th scope="row" title="${image.digestName}">${shortName(image.name)}</th>
    <td data-head="config digest">
      <code title="${image.config}">${shortDigest(image.config)}</code>
    </td>
    <td data-head="size" class="number">${sizeText(image)}</td>
    ${cells}
  </tr>`;
}

function onNode(image: ReceiptImage, node: ReceiptNode): Markup {
  const { proved, note } = placeOf(image, node);
  const state = proved
    ? html`<span class="good">proved</span>`
    : html`<span class="bad">not proved</span>`;
  return html`${state} <small>${note}</small>`;
}
