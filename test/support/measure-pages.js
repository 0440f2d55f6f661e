/* global document, getComputedStyle, NodeFilter, PAGES */
// Runs in the browser: shows each page of PAGES in a frame of its own and writes what is wrong with
// its layout into the document. The pages forbid scripts, so they are measured from outside.

const TOLERANCE = 1.5;

/** Every line of text that can be seen: its words, its element and its box. */
function textBoxes(page) {
  const walker = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  const boxes = [];
  while (walker.nextNode()) {
    const text = walker.currentNode;
    if (!text.parentElement.checkVisibility()) continue;
    const range = page.createRange();
    range.selectNodeContents(text);
    for (const box of range.getClientRects()) {
      if (text.data.trim() !== '' && box.width > 0) {
        boxes.push({ words: text.data.trim().slice(0, 40), element: text.parentElement, box });
      }
    }
  }
  return boxes;
}

function overlap(a, b) {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return width > TOLERANCE && height > TOLERANCE;
}

/** Boxes of different elements that lie on each other; what scrolls under a column does so by design. */
function overlapping(boxes) {
  const still = boxes.filter(({ element }) => !scrolls(element));
  return still.flatMap((a, index) =>
    still
      .slice(index + 1)
      .filter((b) => a.element !== b.element && overlap(a.box, b.box))
      .map((b) => `"${a.words}" lies on "${b.words}"`),
  );
}

function scroller(element) {
  return element.closest('.wide');
}

function scrolls(element) {
  const wide = scroller(element);
  return wide !== null && wide.scrollWidth > wide.clientWidth;
}

/** Text that sticks out of the card or tile around it, or of the page. */
function outside(boxes, width) {
  return boxes
    .filter(({ element }) => !scrolls(element))
    .filter(({ element, box }) => {
      const around = element.closest('.card, .tile')?.getBoundingClientRect();
      const left = around?.left ?? 0;
      const right = around?.right ?? width;
      return box.left < left - TOLERANCE || box.right > right + TOLERANCE;
    })
    .map(({ words }) => `"${words}" sticks out`);
}

/** Bars outside their track, invisible ones, and bars on each other. */
function badBars(page) {
  return [...page.querySelectorAll('.track')].flatMap((track) => {
    const around = track.getBoundingClientRect();
    const bars = [...track.querySelectorAll('i')].map((bar) => bar.getBoundingClientRect());
    return bars.flatMap((bar, index) => [
      ...(bar.left < around.left - 1 || bar.right > around.right + 1 ? ['a bar sticks out'] : []),
      ...(bar.bottom > around.bottom + 1 ? ['a bar hangs out of its track'] : []),
      ...(bar.width < 2 ? ['a bar cannot be seen'] : []),
      ...(bars.slice(index + 1).some((other) => onEachOther(bar, other))
        ? ['bars lie on each other']
        : []),
    ]);
  });
}

/** The shortest bars are drawn wider than they are long, and may touch their neighbour. */
function onEachOther(a, b) {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  return width > 4 && overlap(a, b);
}

/** Meters of tiles that stand beside each other, and are not on one line. */
function crookedMeters(page) {
  const meters = [...page.querySelectorAll('.tile .meter')].map((meter) => ({
    row: meter.closest('.tile').getBoundingClientRect().top,
    at: meter.getBoundingClientRect().top,
  }));
  const crooked = meters.some((one) =>
    meters.some(({ row, at }) => row === one.row && Math.abs(at - one.at) > TOLERANCE),
  );
  return crooked ? ['the meters of a row are not on one line'] : [];
}

function channels(color) {
  return color.match(/[\d.]+/g).map(Number);
}

function luminance([red, green, blue]) {
  const [r, g, b] = [red, green, blue].map((value) => {
    const part = value / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function background(element) {
  for (let one = element; one !== null; one = one.parentElement) {
    const found = channels(getComputedStyle(one).backgroundColor);
    if (found[3] !== 0) return found;
  }
  return [255, 255, 255];
}

/** Text that WCAG calls too faint for its background (below 4.5 : 1). */
function faint(boxes) {
  return boxes.flatMap(({ words, element }) => {
    const ink = luminance(channels(getComputedStyle(element).color));
    const page = luminance(background(element));
    const contrast = (Math.max(ink, page) + 0.05) / (Math.min(ink, page) + 0.05);
    return contrast < 4.5 ? [`"${words}" is faint: ${contrast.toFixed(1)} : 1`] : [];
  });
}

function faultsOf(frame) {
  const page = frame.contentDocument;
  const width = page.documentElement.clientWidth;
  const boxes = textBoxes(page);
  const wider = page.documentElement.scrollWidth - width;
  return [
    ...(boxes.length < 10 ? [`only ${boxes.length} texts are shown`] : []),
    ...(wider > 0 ? [`the page is ${wider} px wider than the screen`] : []),
    ...overlapping(boxes),
    ...outside(boxes, width),
    ...badBars(page),
    ...crookedMeters(page),
    ...faint(boxes),
  ];
}

const frames = PAGES.map(({ name, width, html }) => {
  const frame = document.createElement('iframe');
  Object.assign(frame, { name, srcdoc: html });
  frame.style.cssText = `width:${width}px;height:1000px;border:0`;
  document.body.append(frame);
  return frame;
});

// The load event waits for the frames.
globalThis.addEventListener('load', () => {
  const measured = frames.map((frame) => ({
    name: frame.name,
    dark: frame.contentWindow.matchMedia('(prefers-color-scheme: dark)').matches,
    width: frame.contentDocument.documentElement.clientWidth,
    faults: [...new Set(faultsOf(frame))],
  }));
  document.body.replaceChildren(JSON.stringify(measured));
});
