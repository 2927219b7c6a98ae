/**
 * Runs the examples of README and docs, so that they cannot drift from the code.
 *
 * A fence tagged ` ```ts run ` is one module: imports first, `await` anywhere. In it
 *
 *     sum(1, 2) // => 3             the value of the statement equals this literal; so do `const x = …` and `console.log(…)`
 *     parse('{') // throws SyntaxError      the statement throws or rejects with an error of this name
 *
 * A comment that no statement carries, or whose statement was never reached, is an error: an assertion that silently
 * asserts nothing is worse than none.
 */
import { inspect, isDeepStrictEqual } from 'node:util';
import ts from 'typescript';

/** A runnable fence. */
export interface Fence {
  readonly path: string;
  /** Line of the file on which the code begins, counted from 1. */
  readonly line: number;
  readonly code: string;
}

/** Loads what an example imports. */
export type Load = (specifier: string) => Promise<unknown>;

const MARKER = /\/\/ (=>|throws) (.*)$/;

/** All runnable fences of a Markdown text, in order. Other fences, also plain `ts` ones, are left alone. */
export function extractFences(path: string, markdown: string): Fence[] {
  const fences: Fence[] = [];
  let open: { indent: number; line: number; code: string[] } | undefined;
  let other = false;
  for (const [index, text] of markdown.split('\n').entries()) {
    const mark = /^( *)```(.*)$/.exec(text);
    if (mark === null) open?.code.push(text.slice(open.indent));
    else if (open !== undefined) {
      fences.push({ path, line: open.line, code: open.code.join('\n') });
      open = undefined;
    } else if (!other && /^ts run\b/.test(mark[2] ?? '')) open = { indent: mark[1]?.length ?? 0, line: index + 2, code: [] };
    else other = !other;
  }
  if (open !== undefined || other) throw new Error(`${path}: a fence is not closed`);
  return fences;
}

/** Runs one fence; rejects with an error that names the line of the first wrong assertion. Resolves to their number. */
export async function runFence(fence: Fence, load: Load): Promise<number> {
  const { script, lines } = instrument(fence);
  const reached = new Set<number>();
  // Kept beside being thrown: an example may assert inside a callback whose errors are caught and retried.
  let first: Error | undefined;
  const fail = (line: number, text: string, cause?: unknown): never => {
    const error = new Error(`${fence.path}:${line}: ${text}`, { cause });
    first ??= error;
    throw error;
  };
  const tools = {
    load,
    value: (actual: unknown, line: number, literal: () => unknown): unknown => {
      reached.add(line);
      const expected = literal();
      return isDeepStrictEqual(actual, expected) ? actual : fail(line, `is ${inspect(actual)}; expected ${inspect(expected)}`);
    },
    threw: (error: unknown, line: number, name: string): void => {
      reached.add(line);
      const got = error instanceof Error ? error.name : inspect(error);
      if (got !== name) fail(line, `throws ${got}; expected ${name}`, error);
    },
    silent: (line: number, name: string): never => fail(line, `throws nothing; expected ${name}`),
  };
  try {
    await new AsyncFunction('$', script)(tools);
  } catch (error) {
    throw first ?? error;
  }
  if (first !== undefined) throw first;
  for (const line of lines) if (!reached.has(line)) fail(line, 'is never reached');
  return lines.length;
}

const AsyncFunction = (async () => {}).constructor as new (...args: string[]) => (tools: object) => Promise<void>;

/** Replaces `remove` characters of the code at `at`. Edits never overlap, so marked statements may nest. */
interface Edit {
  readonly at: number;
  readonly remove: number;
  readonly text: string;
}

interface Marker {
  readonly position: number;
  readonly line: number;
  readonly kind: string;
  readonly text: string;
}

/** Turns imports into loads and marked statements into assertions, then drops the types. */
function instrument({ path, line: first, code }: Fence): { script: string; lines: number[] } {
  const file = ts.createSourceFile('fence.ts', code, ts.ScriptTarget.ES2022, true);
  const edits: Edit[] = [];
  const open = new Set(markersOf(code, first));
  const lines = [...open].map(({ line }) => line);
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) edits.push({ at: node.getStart(), remove: node.getWidth(), text: loadOf(node) });
    if (ts.isExpressionStatement(node) || ts.isVariableStatement(node)) {
      const marker = [...open].find(({ position }) => position >= node.end && /^[ ;]*$/.test(code.slice(node.end, position)));
      if (marker !== undefined) {
        open.delete(marker);
        edits.push(...assertion(node, marker, (text) => new Error(`${path}:${marker.line}: ${text}`)));
      }
    }
    node.forEachChild(visit);
  };
  visit(file);
  for (const { line } of open) throw new Error(`${path}:${line}: the comment follows no statement with a value`);
  let script = code;
  for (const { at, remove, text } of edits.sort((a, b) => b.at - a.at)) {
    script = script.slice(0, at) + text + script.slice(at + remove);
  }
  return { script: stripTypes(script), lines };
}

function markersOf(code: string, first: number): Marker[] {
  let position = 0;
  return code.split('\n').flatMap((text, index) => {
    const start = position;
    position += text.length + 1;
    const found = MARKER.exec(text);
    if (found === null) return [];
    return [{ position: start + found.index, line: first + index, kind: found[1]!, text: found[2]!.trim() }];
  });
}

function assertion(node: ts.ExpressionStatement | ts.VariableStatement, marker: Marker, wrong: (text: string) => Error): Edit[] {
  const { line, kind, text } = marker;
  const insert = (at: number, inserted: string): Edit => ({ at, remove: 0, text: inserted });
  if (kind === 'throws') {
    if (!ts.isExpressionStatement(node)) throw wrong('only an expression can be expected to throw');
    const name = JSON.stringify(text);
    const caught = `thrown = true; $.threw(error, ${line}, ${name})`;
    const after = `; thrown = false } catch (error) { ${caught} } if (!thrown) $.silent(${line}, ${name}) }`;
    return [insert(node.expression.getStart(), '{ let thrown; try { '), insert(node.expression.end, after)];
  }
  if (!isExpression(text)) throw wrong(`${text} is not a JavaScript value`);
  const expected = `, ${line}, () => (${text}))`;
  if (ts.isVariableStatement(node)) {
    const [variable, ...more] = node.declarationList.declarations;
    if (variable === undefined || more.length > 0 || !ts.isIdentifier(variable.name)) {
      throw wrong('only one variable with a name can be compared');
    }
    return [insert(node.end, `; $.value(${variable.name.text}${expected};`)];
  }
  const call = node.expression;
  if (ts.isCallExpression(call) && call.expression.getText() === 'console.log' && call.arguments.length === 1) {
    return [
      { at: call.expression.getStart(), remove: call.expression.getWidth(), text: '$.value' },
      { at: call.end - 1, remove: 1, text: expected },
    ];
  }
  return [insert(call.getStart(), '$.value('), insert(call.end, expected)];
}

function isExpression(text: string): boolean {
  try {
    new Function(`return (${text})`);
    return true;
  } catch {
    return false;
  }
}

/** `using` is lowered too: Node 20 lacks it. */
function stripTypes(script: string): string {
  const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true };
  return ts.transpileModule(script, { compilerOptions: options }).outputText;
}

function loadOf({ importClause, moduleSpecifier }: ts.ImportDeclaration): string {
  const load = `await $.load(${moduleSpecifier.getText()})`;
  if (importClause === undefined) return `${load};`;
  if (importClause.isTypeOnly) return '';
  const { name, namedBindings: named } = importClause;
  if (named !== undefined && ts.isNamespaceImport(named)) return `const ${named.name.text} = ${load};`;
  const parts = name === undefined ? [] : [`default: ${name.text}`];
  for (const item of named?.elements ?? []) {
    if (!item.isTypeOnly) parts.push(item.propertyName ? `${item.propertyName.text}: ${item.name.text}` : item.name.text);
  }
  return `const { ${parts.join(', ')} } = ${load};`;
}
