/**
 * The picture of a run: what a tracker did, recorded, exported to the tools that show such things, and drawn.
 *
 * The way of a trace: recorder.ts observes a tracker, and keeps its events as plain data (events.ts); run.ts makes of them
 * sections, readers and subscriptions that have a beginning and an end (parts.ts, stretches.ts), and captions.ts says what each is called.
 *
 * To a tool: chrome.ts (Perfetto), performance.ts (DevTools), each from a run; channels.ts publishes events as they come.
 * To a picture: scene.ts puts a run on paper as shapes (axis.ts is the space across); paint.ts, rulers.ts and shapes.ts paint
 * them with a pen; svg.ts is a pen that writes a file; html.ts makes a page of its own, whose script is viewer.ts, with the pen ink.ts
 * and the shades of density.ts; page.ts is what they know of a browser, theme.ts the colours.
 *
 * Not to be touched: paint.ts (`plotOf`), rulers.ts, shapes.ts, density.ts, ink.ts and viewer.ts are sent to the page as
 * their own source text, so their functions use nothing but their parameters; and a recorder keeps no object of a tracker alive.
 *
 * @packageDocumentation
 */
export { type ChannelEvents, type ChannelMessage, type ChannelName, publishChannels } from './channels.js';
export { type ChromeEvent, type ChromeTrace, type NamedTrace, type Traces, toChromeTrace } from './chrome.js';
export { type HtmlOptions, toHtml } from './html.js';
export { type DevtoolsDetail, type PerformanceTarget, toPerformance } from './performance.js';
export * from './recorder.js';
export { type SvgOptions, toSvg } from './svg.js';
