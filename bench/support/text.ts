/**
 * Text: numbers and tables as people read them.
 */
import Table from 'cli-table3';

/** `1,234,567`, or `12.3` and `0.123` for small ones; `-` for NaN. */
export function number(value: number): string {
  if (Number.isNaN(value)) return '-';
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toPrecision(3);
}

/** A plain table: the first column to the left, the others to the right, no colour. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const shown = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) shown.push([...row]);
  return shown.toString();
}
