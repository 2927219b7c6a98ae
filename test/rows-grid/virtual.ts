/** The page of the recipe for TanStack Virtual, without React: what is visible is read, what `peek` has is drawn. */
import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from '@tanstack/virtual-core';
import { type Events, type Item, windowOver } from './source.js';

/** What is used of a browser's globals. */
interface Host {
  readonly document: { getElementById(id: string): { readonly firstElementChild: { style: { height: string } } } };
  readonly EventSource: new (url: string) => Events;
  shown: () => { readonly first: number; readonly rows: (Item | null)[] };
  show: (index: number) => void;
  count: () => number;
}
const host = globalThis as unknown as Host;

const element = host.document.getElementById('list');
const rows = windowOver(new host.EventSource('/events'));
let drawn: { first: number; rows: (Item | null)[] } = { first: 0, rows: [] };
let leaving = new AbortController();
let visible: readonly [first: number, end: number] = [0, 0];

const options = () => ({
  count: rows.rowCount ?? rows.knownRows + 1,
  getScrollElement: () => element as never,
  estimateSize: () => 20,
  overscan: 5,
  scrollToFn: elementScroll,
  observeElementRect,
  observeElementOffset,
  onChange: () => draw(),
});
const virtualizer = new Virtualizer<never, never>(options() as never);

function draw(): void {
  virtualizer.setOptions(options() as never);
  virtualizer._willUpdate();
  element.firstElementChild.style.height = `${virtualizer.getTotalSize()}px`;
  const items = virtualizer.getVirtualItems();
  const [first, end] = [items[0]?.index ?? 0, (items.at(-1)?.index ?? 0) + 1];
  drawn = { first, rows: items.map(({ index }) => rows.peek(index) ?? null) };
  if (first === visible[0] && end === visible[1]) return;
  visible = [first, end];
  leaving.abort();
  leaving = new AbortController();
  read();
}

function read(): void {
  const [first, end] = visible;
  rows.read(first, end, { allowStale: true, status: {}, signal: leaving.signal }).then(draw, () => {});
}

rows.onChange(({ start }) => start < visible[1] && read());
virtualizer._didMount();
draw();

host.shown = () => drawn;
host.count = () => options().count;
host.show = (index) => virtualizer.scrollToIndex(index);
