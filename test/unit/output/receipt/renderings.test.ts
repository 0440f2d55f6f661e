import { assert, constantFrom, oneof, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shortDigest } from '../../../../src/core/digest.ts';
import { receiptPage } from '../../../../src/output/receipt/html/page.ts';
import { receiptMarkdown } from '../../../../src/output/receipt/markdown.ts';
import { html, line } from '../../../../src/output/receipt/markup.ts';
import { headline } from '../../../../src/output/receipt/words.ts';
import { receiptSchema, type Receipt } from '../../../../src/output/receipt/schema.ts';
import { failedReceipt, shipReceipt, unwantedReceipt } from '../../../support/receipts.ts';
import { digestOf } from '../../../support/values.ts';

/** What a node might say to get into the page, the summary or the eyes of a reader. */
const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  '](https://example.org) ![x](https://example.org/x.png)',
  '| cell\n\n# heading\n\n```\ncode',
  '&lt;b&gt; @someone https://example.org',
  '\u001b[31m \u202e gnp.exe',
];

const IDLE = { state: 'nothing to do', agents: [] } as const;

function idlePush(): Receipt {
  const { nodes, ...rest } = shipReceipt(['a'], { deploy: undefined });
  return { ...rest, nodes: nodes.map((node) => ({ ...node, state: 'nothing to do' })) };
}

/** Markdown as it reads once its entities are text again. */
function readable(markdown: string): string {
  return markdown.replaceAll(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));
}

test('receipts made up for tests have the documented form', () => {
  for (const receipt of [shipReceipt(), failedReceipt()]) {
    expect(receiptSchema.parse(receipt)).toEqual(receipt);
  }
});

describe('the page of a receipt', () => {
  test('needs no script and nothing from the network, and forbids both', () => {
    const page = receiptPage(shipReceipt());
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(page).not.toMatch(/<script|<link|<img|src=|href=|url\(|@import/);
  });

  test.each(HOSTILE)('shows %j as what it is', (said) => {
    const calm = tagsOf(receiptPage(failedReceipt('calm')));
    expect(tagsOf(receiptPage(failedReceipt(said)))).toEqual(calm);
  });

  test('names what was not committed, and what was there before', () => {
    const page = receiptPage(shipReceipt());
    expect(page).toContain('at 3f2a91c5d + 1 file not committed');
    expect(page).toMatch(/was [0-9a-f]{12}/);
    expect(page).toContain('as before');
  });

  test('says how many pings were lost, when they were counted', () => {
    const pageWith = (lost: number): string =>
      receiptPage(shipReceipt(['a'], { deploy: { ...IDLE, traffic: { sent: 370, lost } } }));
    expect(pageWith(0)).toContain('none of 370 pings between pods lost');
    expect(pageWith(4)).toContain('4 of 370 pings between pods lost');
    expect(receiptPage(shipReceipt())).not.toContain('pings');
  });

  test('says why a run failed and what to do', () => {
    const page = receiptPage(failedReceipt());
    expect(page).toContain('worker: 3.10 GB free, 4.02 GB needed');
    expect(page).toContain('ciliumship images prune --nodes worker');
    expect(page).toMatch(/still [0-9a-f]{12}/);
  });
});

test.each([
  ['a push', shipReceipt(['a'], { deploy: undefined }), '2 images proved on 1 node'],
  ['a ship', shipReceipt(['a', 'b']), 'revision 8 runs on 2 nodes'],
  ['a failure', failedReceipt(), 'the push failed'],
  [
    'a rollback',
    shipReceipt([], { command: 'rollback', deploy: undefined }),
    'the rollback is done',
  ],
  ['an idle deploy', shipReceipt([], { deploy: IDLE }), 'there was nothing to do'],
  ['an idle push', idlePush(), 'there was nothing to do'],
])('%s is told in a few words', (_, receipt, words) => {
  expect(headline(receipt)).toBe(words);
});

test('checks are folded away when all are ok, and shown when one is not', () => {
  expect(receiptPage(shipReceipt())).toMatch(/<details >\s*<summary>2 of 2 checks ok/);
  expect(receiptPage(unwantedReceipt())).toMatch(/<details open>\s*<summary>1 of 2 checks ok/);
});

/** Every tag of a page, without the values of its attributes. */
function tagsOf(page: string): readonly string[] {
  return [...page.matchAll(/<[^>]*>/g)].map(([tag]) => tag.replaceAll(/"[^"]*"/g, '""'));
}

test('layers that travelled as patches, or should have, are named for each node', () => {
  const { nodes, ...rest } = shipReceipt(['master', 'worker']);
  const [layer] = nodes.flatMap(({ sent }) => sent);
  if (layer === undefined) throw new Error('a layer is needed');
  const { base: _, ...whole } = layer;
  const refused = { ...whole, form: 'zstd', sentWhole: 'the base is gone' } as const;
  const patched = {
    ...rest,
    nodes: nodes.map((node) => (node.node === 'worker' ? { ...node, sent: [refused] } : node)),
  };
  const name = `layer ${shortDigest(layer.digest)}`;
  const base = shortDigest(digestOf('agent'));
  const notes = {
    master: `${name} as a patch of ${base}: 1.9 MB of 157 MB`,
    worker: `${name} patch → sent whole: the base is gone (1.9 MB of 157 MB)`,
  };
  const markdown = readable(receiptMarkdown(patched));
  expect(receiptPage(patched)).toContain('of 157 MB in 1 layer');
  for (const [node, note] of Object.entries(notes)) {
    expect(receiptPage(patched)).toContain(note);
    expect(markdown).toContain(`- ${node}: ${note}`);
  }
});

test('a text never leaves its place in HTML, whatever it is', () => {
  const spoken = string({ unit: 'binary' });
  assert(
    property(spoken, (text) => {
      expect(html`<b title="${text}">${text}</b>`.markup).toMatch(
        /^<b title="[^"<>']*">[^"<>']*<\/b>$/,
      );
    }),
  );
});

describe('the Markdown of a receipt', () => {
  test('has the nodes, the images and the seconds of each stage', () => {
    const markdown = readable(receiptMarkdown(shipReceipt()));
    expect(markdown).toContain('## ciliumship ship: revision 8 runs on 2 nodes');
    expect(markdown).toContain('| worker | shipped | 2 MB of 315 MB | 2 of 3 |');
    expect(markdown).toMatch(
      /\| cilium:dev \| [0-9a-f]{12} \| 195 MB \| proved, was [0-9a-f]{12} \|/,
    );
    expect(markdown).toContain('| Send |  | 3.1 s | 3.1 s |');
    expect(markdown).toContain('| Build | 9.6 s |  |  |');
  });

  test('quotes why a run failed and marks where', () => {
    const markdown = readable(receiptMarkdown(failedReceipt()));
    expect(markdown).toContain('> **worker: 3.10 GB free, 4.02 GB needed**');
    expect(markdown).toContain('> next: ciliumship images prune --nodes worker');
    expect(markdown).toContain('| Send |  | 3.1 s | failed |');
  });

  test('cannot be given markup by what a node says, whatever it is', () => {
    const spoken = oneof(string({ unit: 'binary' }), constantFrom(...HOSTILE));
    assert(
      property(spoken, (text) => {
        expect(line`| ${text} |`.markup).toMatch(/^\| (?:[\p{L}\p{N} ]|&#\d+;)* \|$/u);
      }),
    );
  });
});
