import { describe, expect, test } from 'vitest';
import { receiptPage } from '../../../src/output/receipt/html/page.ts';
import { measurePages, requireBrowser, type Shown } from '../../support/browser.ts';
import { missingPart } from '../../support/parts.ts';
import { failedReceipt, shipReceipt, unwantedReceipt } from '../../support/receipts.ts';

const missing = await missingPart('Chromium', requireBrowser);

const PHONE = 390;
const DESKTOP = 1280;
const LONG = 'worker-with-a-name-that-is-as-long-as-a-kubernetes-name-may-be1';

const RECEIPTS = {
  'a ship': shipReceipt(),
  'twelve nodes': shipReceipt(Array.from({ length: 12 }, (_, index) => `rack-${index}`)),
  'long names': shipReceipt([LONG, `${LONG}.example`]),
  'a failed push': failedReceipt(),
  'a failed check': unwantedReceipt(),
  'a long error': failedReceipt(`worker: ${'/var/lib/rancher/k3s'.repeat(20)} is full`),
  'nothing shipped': shipReceipt([], { stages: [], images: [] }),
};

/** A rule of style that spoils a page → the fault that it makes. */
const SPOILED: Readonly<Record<string, string>> = {
  'h1 { width: 500px }': 'the page is 126 px wider than the screen',
  '.tile .note { margin-top: -2rem }': '"4 MB" lies on "of 630 MB in the images"',
  '.lane b { position: relative; left: 300px }': 'sticks out',
  'small { color: #aaa }': 'is faint: 2.3 : 1',
  '.track i { min-width: 200px }': 'a bar sticks out',
  '.lane .track { height: 4px }': 'a bar hangs out of its track',
  '.track i { min-width: 0; width: 0 !important }': 'a bar cannot be seen',
  '.track i { left: 0 }': 'bars lie on each other',
  '.meter { margin-top: 0 }': 'the meters of a row are not on one line',
};

function shown(width: number): readonly Shown[] {
  return Object.entries(RECEIPTS).map(([name, receipt]) => ({
    name,
    width,
    html: receiptPage(receipt),
  }));
}

describe.skipIf(missing !== undefined)('the page of a receipt in a real browser', () => {
  test.each(['light', 'dark'] as const)(
    'has no text that overlaps, sticks out or is faint, on phone and desktop: %s',
    async (scheme) => {
      const pages = [...shown(PHONE), ...shown(DESKTOP)];
      expect(await measurePages(pages, scheme)).toEqual(
        pages.map(({ name, width }) => ({ name, width, dark: scheme === 'dark', faults: [] })),
      );
    },
  );

  // The measure itself: each way to spoil a page is found.
  test('would be found out if it were spoiled', async () => {
    const page = receiptPage(shipReceipt());
    const pages = Object.keys(SPOILED).map((style) => ({
      name: style,
      width: PHONE,
      html: page.replace('</style>', `${style}</style>`),
    }));
    for (const { name, faults } of await measurePages(pages, 'light')) {
      expect(faults.join('\n'), name).toContain(SPOILED[name]);
    }
  });
});
