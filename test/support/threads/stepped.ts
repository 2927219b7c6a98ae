/**
 * The code of lib/threads as generators: each access to a shared word is a step, at which another thread may come in between. Nothing
 * of it is rewritten by hand: methods that access words, by themselves or by way of others, become generators, and calls of them
 * `yield*`. What a callback calls (a microtask, a ring) is run as a job of its thread.
 *
 * `faults` are replacements in the text, to see that a wrong order is found.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import ts from 'typescript';

const LIB = fileURLToPath(new URL('../../../lib/', import.meta.url));
const FOLDER = join(LIB, 'threads');
/** Fields by the class of what is in them. */
const FIELDS: Readonly<Record<string, string>> = {
  '#log': 'Log',
  '#slot': 'Slot',
  '#follow': 'Follow',
  '#table': 'Table',
  '#waits': 'Waits',
  '#interests': 'Interests',
  '#bell': 'Bell',
  '#host': 'Link',
};
const ACCESSES = ['load', 'store', 'add'];

/** A replacement in a file of lib/threads; `find` must stand there exactly once. */
export interface Fault {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** `Class.method` of a call, if it is one of a class of lib/threads. */
function calleeOf(call: ts.CallExpression, within: string): string | undefined {
  const { expression } = call;
  if (!ts.isPropertyAccessExpression(expression)) return undefined;
  const name = expression.name.text;
  const on = expression.expression;
  if (on.kind === ts.SyntaxKind.ThisKeyword) return `${within}.${name}`;
  if (ts.isNewExpression(on)) return `${on.expression.getText()}.${name}`;
  if (ts.isPropertyAccessExpression(on) && on.expression.kind === ts.SyntaxKind.ThisKeyword) {
    const field = FIELDS[on.name.text];
    return field === undefined ? undefined : `${field}.${name}`;
  }
  return undefined;
}

/** Going to sleep compares a shared word. */
function isSleep({ expression }: ts.CallExpression): boolean {
  return ts.isIdentifier(expression) && expression.text === 'waitAsync';
}

function isAccess(call: ts.CallExpression): boolean {
  const { expression } = call;
  if (!ts.isPropertyAccessExpression(expression) || !ACCESSES.includes(expression.name.text)) return false;
  return /(^|#)words$/.test(expression.expression.getText());
}

interface Method {
  readonly name: string;
  readonly calls: readonly string[];
  readonly steps: boolean;
}

function methodsOf(file: ts.SourceFile): Method[] {
  const methods: Method[] = [];
  const visitClass = (node: ts.ClassDeclaration) => {
    for (const member of node.members) {
      if (!ts.isMethodDeclaration(member) || member.body === undefined) continue;
      const calls: string[] = [];
      let steps = false;
      const visit = (inner: ts.Node): void => {
        if (ts.isArrowFunction(inner)) return;
        if (ts.isCallExpression(inner)) {
          if (isAccess(inner) || isSleep(inner)) steps = true;
          const callee = calleeOf(inner, node.name!.text);
          if (callee !== undefined) calls.push(callee);
        }
        ts.forEachChild(inner, visit);
      };
      visit(member.body);
      methods.push({ name: `${node.name!.text}.${member.name.getText()}`, calls, steps });
    }
  };
  file.forEachChild((node) => ts.isClassDeclaration(node) && visitClass(node));
  return methods;
}

function rewritten(file: ts.SourceFile, stepping: ReadonlySet<string>): string {
  const { factory: f } = ts;
  const transform: ts.TransformerFactory<ts.SourceFile> = (context) => (root) => {
    let within = '';
    let isGenerator = false;
    const visit = (node: ts.Node): ts.Node => {
      if (ts.isClassDeclaration(node)) within = node.name!.text;
      if (ts.isMethodDeclaration(node)) {
        const before = isGenerator;
        isGenerator = stepping.has(`${within}.${node.name.getText()}`);
        const inner = ts.visitEachChild(node, visit, context) as ts.MethodDeclaration;
        const { modifiers, name, questionToken, typeParameters, parameters, body } = inner;
        const star = isGenerator ? f.createToken(ts.SyntaxKind.AsteriskToken) : node.asteriskToken;
        isGenerator = before;
        return f.updateMethodDeclaration(
          inner,
          modifiers,
          star,
          name,
          questionToken,
          typeParameters,
          parameters,
          undefined,
          body,
        );
      }
      if (ts.isArrowFunction(node) || ts.isConstructorDeclaration(node)) {
        const before = isGenerator;
        isGenerator = false;
        const inner = ts.visitEachChild(node, visit, context);
        isGenerator = before;
        return inner;
      }
      if (!ts.isCallExpression(node)) return ts.visitEachChild(node, visit, context);
      const inner = ts.visitEachChild(node, visit, context) as ts.CallExpression;
      const star = f.createToken(ts.SyntaxKind.AsteriskToken);
      if (isAccess(node) && isGenerator) {
        const access = node.expression as ts.PropertyAccessExpression;
        const args = [access.expression, f.createStringLiteral(access.name.text), ...inner.arguments];
        const step = f.createCallExpression(f.createIdentifier('__step'), undefined, args);
        return f.createParenthesizedExpression(f.createYieldExpression(star, step));
      }
      if (isSleep(node) && isGenerator) {
        const sleep = f.createCallExpression(f.createIdentifier('__sleep'), undefined, inner.arguments);
        return f.createParenthesizedExpression(f.createYieldExpression(star, sleep));
      }
      const callee = calleeOf(node, within);
      if (callee === undefined || !stepping.has(callee)) return inner;
      if (isGenerator) return f.createParenthesizedExpression(f.createYieldExpression(star, inner));
      return f.createCallExpression(f.createIdentifier('__spawn'), undefined, [inner]);
    };
    return ts.visitNode(root, visit) as ts.SourceFile;
  };
  return ts.createPrinter().printFile(ts.transform(file, [transform]).transformed[0]!);
}

/** The program, as text of a function body with `module`, `__step`, `__sleep`, `__spawn`, `__micro` and `Atomics`. */
export async function steppedProgram(faults: readonly Fault[] = []): Promise<string> {
  const texts = new Map<string, string>();
  for (const name of readdirSync(FOLDER)) {
    let text = readFileSync(join(FOLDER, name), 'utf8');
    for (const { file, find, replace } of faults) {
      if (file !== name) continue;
      if (text.split(find).length !== 2) throw new Error(`${find} does not stand exactly once in ${name}`);
      text = text.replace(find, () => replace);
    }
    texts.set(
      name,
      text.replace('const LOOKS = 200', 'const LOOKS = 1').replace('const TRY_LOOKS = 2000', 'const TRY_LOOKS = 1'),
    );
  }
  const files = new Map(
    [...texts].map(([name, text]) => [name, ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true)] as const),
  );
  const methods = [...files.values()].flatMap(methodsOf);
  const stepping = new Set(methods.filter(({ steps }) => steps).map(({ name }) => name));
  for (let before = -1; before !== stepping.size; ) {
    before = stepping.size;
    for (const { name, calls } of methods) if (calls.some((callee) => stepping.has(callee))) stepping.add(name);
  }
  const { outputFiles } = await build({
    stdin: {
      contents: `
        export { Link } from './threads/link.js';
        export { Recovery } from './threads/recover.js';
        export { Bell } from './threads/bell.js';
        export * from './threads/words.js';
        export { Section } from './tracker/internal.js';
        export { Space } from './tracker/space.js';
        export { OpenSubscription } from './tracker/subscription.js';
        export { WaitingRead } from './tracker/wait.js';
      `,
      resolveDir: LIB,
      loader: 'ts',
    },
    bundle: true,
    write: false,
    format: 'cjs',
    target: 'es2022',
    define: { queueMicrotask: '__micro' },
    plugins: [
      {
        name: 'stepped',
        setup({ onLoad }) {
          onLoad({ filter: /lib[\\/]threads[\\/][^\\/]+\.ts$/ }, ({ path }) => {
            const file = files.get(path.split(/[\\/]/).at(-1)!)!;
            return { contents: rewritten(file, stepping), loader: 'ts' };
          });
        },
      },
    ],
  });
  return outputFiles[0]!.text;
}
