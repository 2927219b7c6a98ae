/**
 * The picture of a run: what a tracker did, recorded, exported to the tools that show such things, and drawn.
 *
 * @packageDocumentation
 */
export { type ChannelEvents, type ChannelMessage, type ChannelName, publishChannels } from './channels.js';
export { type ChromeEvent, type ChromeTrace, type NamedTrace, type Traces, toChromeTrace } from './chrome.js';
export { type HtmlOptions, toHtml } from './html.js';
export { type DevtoolsDetail, type PerformanceTarget, toPerformance } from './performance.js';
export * from './recorder.js';
export { type SvgOptions, toSvg } from './svg.js';
