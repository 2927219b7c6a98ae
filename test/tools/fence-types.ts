/**
 * Type-checks examples. Running them is not enough: types are dropped first, so a misspelt option would just do nothing.
 */
import { join } from 'node:path';
import ts from 'typescript';
import type { Fence } from './fences.js';

/** One line for each error: `path:line: what`. `modules` maps what examples import to source files, absolute. */
export function typeErrors(root: string, fences: readonly Fence[], modules: ReadonlyMap<string, string>): string[] {
  // As if each fence lay beside the documents. `export {}` makes it a module, so that it may await at the top.
  const files = new Map(fences.map((fence, index) => [join(root, 'docs', `fence-${index}.ts`), fence]));
  const textOf = (name: string) => {
    const fence = files.get(name);
    return fence && `${fence.code}\nexport {};\n`;
  };
  const options = optionsOf(root);
  options.paths = Object.fromEntries([...modules].map(([name, file]) => [name, [file]]));
  options.noUnusedLocals = false;

  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.readFile = (name) => textOf(name) ?? readFile(name);
  host.getSourceFile = (name, languageVersion) => {
    const text = textOf(name);
    return text === undefined ? getSourceFile(name, languageVersion) : ts.createSourceFile(name, text, languageVersion);
  };

  const program = ts.createProgram([...files.keys()], options, host);
  return [...files].flatMap(([name, { path, line }]) =>
    ts.getPreEmitDiagnostics(program, program.getSourceFile(name)).map(({ file, start, messageText }) => {
      const offset = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start ?? 0).line;
      return `${path}:${line + offset}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    }),
  );
}

/** What the tests are compiled with. */
function optionsOf(root: string): ts.CompilerOptions {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(root, 'test/tsconfig.json'),
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
        throw new Error(ts.flattenDiagnosticMessageText(messageText, ' '));
      },
    },
  );
  return { ...config?.options };
}
