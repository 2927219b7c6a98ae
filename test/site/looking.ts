/**
 * Looking: what can be asked of any page, as text of functions that run inside of it.
 */

/** Every text that is seen and stands out too little from its ground: 4.5 to 1, large ones 3 to 1 (WCAG 2, AA). */
export const paleTexts: string = `(() => {
  const pen = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], below) => [r, g, b].map((value, i) => value * a + below[i] * (1 - a));
  const groundOf = (element) => {
    const layers = [];
    for (let at = element; at !== null; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), rgba('Canvas').slice(0, 3));
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    const { width, height } = element.getBoundingClientRect();
    if (node.data.trim() === '' || ['SCRIPT', 'STYLE'].includes(element.tagName) || width * height <= 1) continue;
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const style = getComputedStyle(element);
    const ground = groundOf(element);
    const [a, b] = [light(over(rgba(style.color), ground)), light(ground)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) found.push(node.data.trim().slice(0, 40) + ': ' + ratio.toFixed(2));
  }
  return found;
})()`;

/** What is wrong for whoever cannot see the page, or does not use a mouse. */
export const nameless: string = `(() => {
  const found = [];
  const text = (element) =>
    [element.getAttribute('aria-label'), element.getAttribute('title'), element.getAttribute('alt'), element.textContent].find((one) => one?.trim());
  for (const element of document.querySelectorAll('a[href], button, input, canvas, img:not([alt=""])'))
    if (!text(element) && element.checkVisibility()) found.push('has no name: ' + element.outerHTML.slice(0, 80));
  for (const element of document.querySelectorAll('[tabindex]'))
    if (element.tabIndex > 0) found.push('comes out of its order: ' + element.outerHTML.slice(0, 80));
  let level = 0;
  for (const head of document.querySelectorAll('.VPDoc h1, .VPDoc h2, .VPDoc h3, .VPDoc h4')) {
    const next = Number(head.tagName[1]);
    if (next > level + 1) found.push('leaves out a level: ' + head.textContent);
    level = next;
  }
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push('is there twice: #' + id);
  if (!document.documentElement.lang) found.push('the page has no language');
  if (/user-scalable=no|maximum-scale/.test(document.querySelector('meta[name=viewport]')?.content ?? 'user-scalable=no'))
    found.push('the page cannot be enlarged');
  return found;
})()`;

/** How many pixels of a canvas are of a colour that the style names. */
export const pixelsOf = (lane: string, colour: string): string => `(() => {
  const canvas = document.querySelector('[data-live="${lane}"]');
  const pen = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true });
  pen.fillStyle = getComputedStyle(canvas).getPropertyValue('--live-${colour}').trim();
  pen.fillRect(0, 0, 1, 1);
  const [r, g, b] = pen.getImageData(0, 0, 1, 1).data;
  const copy = Object.assign(document.createElement('canvas'), { width: canvas.width, height: canvas.height });
  const reader = copy.getContext('2d', { willReadFrequently: true });
  reader.drawImage(canvas, 0, 0);
  const { data } = reader.getImageData(0, 0, copy.width, copy.height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4) if (data[i] === r && data[i + 1] === g && data[i + 2] === b && data[i + 3] === 255) count++;
  return count;
})()`;
