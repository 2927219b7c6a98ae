/** The site's order, its pages that are made, and its check of links. The site itself is tried by `npm run test:site`. */
import { describe, expect, it } from 'vitest';
import { linksOf } from '../../docs/.vitepress/links.js';
import { forgotten, sidebar } from '../../docs/.vitepress/order.js';
import { moved } from '../../docs/.vitepress/pages.js';

describe('the order of the site', () => {
  it('has a place for every document', () => {
    expect(forgotten()).toEqual([]);
  });

  it('has one place for each', () => {
    const links = sidebar().flatMap(({ items }) => items.map(({ link }) => link));
    expect(links.filter((link, at) => links.indexOf(link) !== at)).toEqual([]);
  });

  it('leads from the start to drivers, to what hangs and to the reference, with evidence apart', () => {
    expect(sidebar().map(({ text }) => text)).toEqual(['Start', 'Drivers', 'When it hangs', 'Reference', 'Evidence']);
    expect(sidebar()[0]!.items[0]).toEqual({ text: 'In ten seconds', link: '/' });
  });
});

describe('a text of the top of the repository, as a page', () => {
  const pages = new Set(['keyed.md', 'picture.svg']);

  it('leads to the same places from there', () => {
    expect(moved('[a](docs/keyed.md#x) ![b](docs/picture.svg) [c](SECURITY.md) [d](https://e.org) [f](#g)', pages)).toBe(
      '[a](../keyed.md#x) ![b](../picture.svg) [c](security.md) [d](https://e.org) [f](#g)',
    );
  });

  it('leads to the page of all examples, and keeps the words of what is no page', () => {
    expect(moved('[e](examples/own-driver.mjs) [l](LICENSE) [t](test/x.ts)', pages)).toBe('[e](examples.md#own-drivermjs) l t');
  });
});

describe('links of a built site', () => {
  const files = new Set(['index.html', 'a.html', 'b/index.html', 'x.svg']);
  const look = (text: string, base = '/') =>
    linksOf(
      new Map([
        ['index.html', text],
        ['a.html', '<h1 id="here">'],
      ]),
      files,
      base,
    ).dead;

  it('lead to pages by their clean names, to folders, and to places in pages', () => {
    expect(
      look(
        '<a href="/a"> <a href="/b/"> <a class="k" href="./a#here"> <img src="/x.svg"> <a href="#"> <a href="https://e.org/z">',
      ),
    ).toEqual([]);
  });

  it('lead up to the first page', () => {
    expect(linksOf(new Map([['b/index.html', '<a href="./../"> <a href="../a">']]), files, '/').dead).toEqual([]);
  });

  it('are dead where there is nothing, no such place, or another base', () => {
    expect(look('<a href="/c">')).toEqual(['index.html: /c is not there']);
    expect(look('<a href="/a#there">')).toEqual(['index.html: /a#there has no such place in a.html']);
    expect(look('<a href="/a"><a href="/site/a">', '/site/')).toEqual(['index.html: /a does not begin with /site/']);
  });
});
