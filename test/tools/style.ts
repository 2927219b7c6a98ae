/**
 * House rules that no linter knows. Each rule looks at file texts only, so style.test.ts can show every one of them a tree
 * that breaks it. `npm run style` prints `path:line: what` for each finding and exits with 1 if there is any.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, posix, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** What the rules look at. Paths are relative to the root, with `/`. */
export interface Tree {
  /** Names at the top level that are not ignored by git. */
  readonly top: readonly string[];
  /** Text of every file that any rule reads. */
  readonly files: ReadonlyMap<string, string>;
  /** Is there a file or folder of this path? Links may point at files that no rule reads. */
  readonly exists: (path: string) => boolean;
}

/** One finding. */
export interface Problem {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

type Report = (path: string, line: number, text: string) => void;

const TOP = new Set(
  [
    '.ci .git .github .gitignore bench docs examples lib test',
    'CHANGELOG.md CONTRIBUTING.md LICENSE README.md SECURITY.md',
    'biome.json package-lock.json package.json tsconfig.json',
  ].flatMap((names) => names.split(' ')),
);
/** Files at the top level that rules read. */
const READ_AT_TOP = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'package.json', 'package-lock.json'];
const MAX_MODULE_LINES = 400;
const MAX_CORE_EXPORTS = 12;
const README_CODE_LINE = 19;
const README_LINES = 250;

/** What is made or installed below docs/. */
const MADE = /^docs\/(api|package|node_modules|\.vitepress\/(cache|dist))\//;

/** The one module that may ask the host for time. */
const CLOCK = 'lib/base/clock.ts';
const IMPURE_CALLS = new Set(['Date.now', 'Math.random', 'performance.now']);
const IMPURE_GLOBALS = new Set(['setTimeout', 'setInterval', 'setImmediate']);

/** Every finding of every rule. */
export function checkStyle(tree: Tree): Problem[] {
  const problems: Problem[] = [];
  const report: Report = (path, line, text) => problems.push({ path, line, text });
  topLevel(tree, report);
  lockFile(tree, report);
  readme(tree, report);
  scripts(tree, report);
  for (const [path, text] of tree.files) {
    if (path.endsWith('.md')) links(tree, path, text, report);
    if (!/^lib\/.*\.ts$/.test(path)) continue;
    const lines = lineCount(text);
    if (lines > MAX_MODULE_LINES) report(path, lines, `${lines} lines; expected at most ${MAX_MODULE_LINES}`);
    source(path, text, report);
    if (path === 'lib/index.ts') exportList(path, text, report);
  }
  return problems;
}

function topLevel({ top }: Tree, report: Report): void {
  for (const name of top) if (!TOP.has(name)) report(name, 1, 'has no place at the top level');
}

/** Recorded download addresses would tie `npm ci` to one machine's settings; the integrity hashes say enough. */
function lockFile({ files }: Tree, report: Report): void {
  for (const path of ['package-lock.json', 'docs/package-lock.json']) {
    const lines = (files.get(path) ?? '').split('\n');
    const line = lines.findIndex((text) => text.includes('"resolved"')) + 1;
    if (line > 0) report(path, line, 'records addresses; install with --omit-lockfile-registry-resolved');
  }
}

function readme({ files }: Tree, report: Report): void {
  const text = files.get('README.md');
  if (text === undefined) {
    report('README.md', 1, 'is missing');
    return;
  }
  const lines = lineCount(text);
  if (lines > README_LINES) report('README.md', lines, `${lines} lines; expected at most ${README_LINES}`);
  // The code itself, not the fence above it.
  const code = text.split('\n').findIndex((line) => /^```ts\b/.test(line)) + 2;
  if (code === 1) report('README.md', 1, 'has no TypeScript fence');
  else if (code > README_CODE_LINE) report('README.md', code, `code begins here; expected it by line ${README_CODE_LINE}`);
}

/** Documents name no script that package.json does not have. The changelog may: it tells of the past. */
function scripts({ files }: Tree, report: Report): void {
  const known: unknown = JSON.parse(files.get('package.json') ?? '{}').scripts;
  if (known === undefined) return;
  for (const [path, text] of files) {
    if (!path.endsWith('.md') || path === 'CHANGELOG.md') continue;
    text.split('\n').forEach((line, index) => {
      for (const [, name = ''] of line.matchAll(/\bnpm run ([\w:-]*\w)/g)) {
        if (!Object.hasOwn(known as object, name)) report(path, index + 1, `names the script ${name}, which does not exist`);
      }
    });
  }
}

/** Relative links lead to files, and fragments to headings of Markdown files. */
function links(tree: Tree, path: string, text: string, report: Report): void {
  prose(text).forEach((line, index) => {
    for (const [, target = ''] of line.matchAll(/\]\(([^()\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [file = '', fragment] = target.split('#');
      const found = file === '' ? path : posix.join(posix.dirname(path), file);
      const heads = tree.files.get(found);
      if (!tree.exists(found)) report(path, index + 1, `links to ${target}, which does not exist`);
      else if (fragment !== undefined && heads !== undefined && found.endsWith('.md') && !anchors(heads).has(fragment)) {
        report(path, index + 1, `links to ${target}, which has no such heading`);
      }
    }
  });
}

/** Headings as the usual renderers name them. */
function anchors(text: string): Set<string> {
  const heads = prose(text).filter((line) => /^#+ /.test(line));
  return new Set(
    heads.map((head) =>
      head
        .replace(/^#+ /, '')
        .trim()
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** The lines of a Markdown file, those inside fences blanked. */
function prose(text: string): string[] {
  let fenced = false;
  return text.split('\n').map((line) => {
    const mark = /^\s*(```|~~~)/.test(line);
    if (mark) fenced = !fenced;
    return mark || fenced ? '' : line;
  });
}

/** Time, randomness and 32-bit arithmetic, found in the syntax tree: comments and strings may name them freely. */
function source(path: string, text: string, report: Report): void {
  const file = parse(path, text);
  const at = (node: ts.Node) => file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
  const visit = (node: ts.Node): void => {
    const impure = path !== CLOCK && impureName(node);
    if (impure) report(path, at(node), `uses ${impure}; expected time and randomness to be injected`);
    const truncated = bitOperands(node).find((operand) => /seq/i.test(operand.getText(file)));
    if (truncated !== undefined) {
      report(path, at(node), `truncates ${truncated.getText(file)} to 32 bits; sequence numbers go beyond 2^31`);
    }
    node.forEachChild(visit);
  };
  visit(file);
}

function impureName(node: ts.Node): string | undefined {
  if (ts.isPropertyAccessExpression(node)) {
    const name = node.name.text;
    const owner = ts.isIdentifier(node.expression) ? node.expression.text : '';
    if (IMPURE_CALLS.has(`${owner}.${name}`)) return `${owner}.${name}`;
    return owner === 'globalThis' && IMPURE_GLOBALS.has(name) ? name : undefined;
  }
  if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length) return 'new Date()';
  if (!ts.isIdentifier(node) || !IMPURE_GLOBALS.has(node.text)) return undefined;
  // `clock.setTimeout` and a method that is called so are the injected ones.
  const { parent } = node;
  const named = ts.isPropertyAccessExpression(parent) || ts.isMethodDeclaration(parent) || ts.isMethodSignature(parent);
  return named && parent.name === node ? undefined : node.text;
}

function bitOperands(node: ts.Node): ts.Node[] {
  if (ts.isPrefixUnaryExpression(node)) return node.operator === ts.SyntaxKind.TildeToken ? [node.operand] : [];
  if (!ts.isBinaryExpression(node)) return [];
  return /^(\||&|\^|<<|>>>?)=?$/.test(node.operatorToken.getText()) ? [node.left, node.right] : [];
}

/** Counts what exists at run time; `export *` hides the count, so it is not allowed. */
function exportList(path: string, text: string, report: Report): void {
  const names: string[] = [];
  for (const statement of parse(path, text).statements) {
    if (ts.isExportDeclaration(statement)) {
      if (statement.isTypeOnly) continue;
      if (statement.exportClause === undefined) report(path, 1, 'uses `export *`; expected an explicit list');
      else if (ts.isNamespaceExport(statement.exportClause)) names.push(statement.exportClause.name.text);
      else names.push(...statement.exportClause.elements.filter((item) => !item.isTypeOnly).map((item) => item.name.text));
    } else if (ts.canHaveModifiers(statement) && ts.getModifiers(statement)?.some(isExport)) {
      if (ts.isVariableStatement(statement))
        names.push(...statement.declarationList.declarations.map((item) => item.name.getText()));
      else if (!ts.isInterfaceDeclaration(statement) && !ts.isTypeAliasDeclaration(statement)) names.push('declaration');
    }
  }
  if (names.length > MAX_CORE_EXPORTS) {
    report(path, 1, `${names.length} runtime exports; expected at most ${MAX_CORE_EXPORTS}: ${names.join(', ')}`);
  }
}

function isExport(modifier: ts.Modifier): boolean {
  return modifier.kind === ts.SyntaxKind.ExportKeyword;
}

function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
}

function lineCount(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

/** Reads what the rules need. Ignored top-level names are the plain lines of .gitignore. */
export function readTree(root: string): Tree {
  const text = (path: string) => readFileSync(join(root, path), 'utf8');
  const ignored = new Set(
    text('.gitignore')
      .split('\n')
      .map((line) => line.replace(/\/$/, '')),
  );
  const top = readdirSync(root).filter((name) => !ignored.has(name) && !name.endsWith('.tgz'));
  const files = new Map<string, string>();
  for (const name of READ_AT_TOP) if (top.includes(name)) files.set(name, text(name));
  const lock = 'docs/package-lock.json';
  if (existsSync(join(root, lock))) files.set(lock, text(lock));
  for (const folder of ['lib', 'docs']) {
    if (!top.includes(folder)) continue;
    for (const entry of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      const path = posix.join(folder, entry.replaceAll('\\', '/'));
      if (MADE.test(path)) continue;
      if (/\.(ts|md)$/.test(path) && statSync(join(root, path)).isFile()) files.set(path, text(path));
    }
  }
  return { top, files, exists: (path) => existsSync(join(root, path)) };
}

if (resolve(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) {
  const tree = readTree(join(dirname(fileURLToPath(import.meta.url)), '../..'));
  const problems = checkStyle(tree);
  for (const { path, line, text } of problems) console.log(`${path}:${line}: ${text}`);
  console.log(`style: ${tree.files.size} files, ${problems.length} problems`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
