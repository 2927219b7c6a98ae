/**
 * Servers: what each is called, and how one instance of it is had. Programs run in the foreground under their own configuration,
 * on a free port of the loopback, with everything they write in a folder of the test's own, as nobody where the test is root.
 * Packages run in this process.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../support/programs.js';

/** A running server of a folder of files. */
export interface Running {
  /** Where the folder is; ends with a slash. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Where a server takes its files from, and where it may write. */
export interface Folders {
  readonly files: string;
  readonly work: string;
}

/** One server, in one way to set it up. */
export interface Server {
  readonly name: string;
  /** Its version; rejects where it is not there. */
  version(): Promise<string>;
  start(folders: Folders): Promise<Running>;
}

/** As a user without rights: 65534 is `nobody` on Linux. */
const NOBODY = 65_534;
const IS_ROOT = process.getuid?.() === 0;

/** The slowest of them starts within a second. */
const START_MS = 30_000;

const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) end(child, 'SIGKILL');
});

/** With all of its workers: it leads a group of its own. */
function end(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-child.pid!, signal);
  } catch {
    // gone already
  }
}

interface Program {
  readonly name: string;
  readonly program: string;
  readonly versionArgs: readonly string[];
  /** Its configuration, and the arguments that make it stay in the foreground with it. */
  readonly configuration: (folders: Folders, port: number) => string;
  readonly args: (path: string) => readonly string[];
}

function program({ name, program: file, versionArgs, configuration, args }: Program): Server {
  return {
    name,
    async version() {
      const { stdout, stderr } = await promisify(execFile)(file, [...versionArgs], { timeout: 10_000 });
      return /\d+\.\d+\.\d+/.exec(`${stdout}${stderr}`)?.[0] ?? '';
    },
    async start(folders) {
      mkdirSync(folders.work, { recursive: true });
      const port = await freePort();
      const path = join(folders.work, 'configuration');
      writeFileSync(path, configuration(folders, port));
      if (IS_ROOT) chownSync(folders.work, NOBODY, NOBODY);
      const env = { PATH: process.env.PATH, HOME: folders.work, XDG_DATA_HOME: folders.work, XDG_CONFIG_HOME: folders.work };
      const child = spawn(file, [...args(path)], {
        env,
        cwd: folders.work,
        detached: true,
        stdio: ['ignore', 'ignore', 'pipe'],
        ...(IS_ROOT ? { uid: NOBODY, gid: NOBODY } : {}),
      });
      children.add(child);
      let said = '';
      child.stderr!.on('data', (chunk) => {
        said = `${said}${chunk}`.slice(-2_000);
      });
      const exited = new Promise<void>((resolve) => {
        child.once('exit', () => resolve());
        child.once('error', (error) => {
          said += error;
          resolve();
        });
      });
      const stop = async () => {
        end(child, 'SIGTERM');
        const late = setTimeout(() => end(child, 'SIGKILL'), 5_000);
        await exited;
        clearTimeout(late);
        end(child, 'SIGKILL'); // workers that have outlived it
        children.delete(child);
      };
      const url = `http://127.0.0.1:${port}/`;
      const limit = Date.now() + START_MS;
      let isOver = false;
      exited.then(() => {
        isOver = true;
      });
      while (!(await answers(url))) {
        if (!isOver && Date.now() < limit) continue;
        await stop();
        throw new Error(`${name} does not answer at ${url}: ${said}`);
      }
      return { url, stop };
    },
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.body?.cancel();
    return true;
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return false;
  }
}

/** What packages warn of is theirs. */
process.noDeprecation = true;

// biome-ignore lint/suspicious/noExplicitAny: the packages are there only while this runs
type Module = any;

/** Installed beside this file. Not a literal: the compiler would look for it. */
async function use(name: string): Promise<Module> {
  const module: Module = await import(name);
  return module.default ?? module;
}

async function versionOf(name: string): Promise<string> {
  const { createRequire } = await import('node:module');
  const { readFileSync } = await import('node:fs');
  const entry = createRequire(import.meta.url).resolve(name);
  const root = entry.slice(0, entry.lastIndexOf(`/node_modules/${name}/`) + `/node_modules/${name}/`.length);
  return JSON.parse(readFileSync(`${root}package.json`, 'utf8')).version;
}

function handler(name: string, packageName: string, make: (files: string) => Promise<RequestListener>): Server {
  return {
    name,
    version: () => versionOf(packageName),
    async start({ files }) {
      const server = createServer(await make(files));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
        stop: () =>
          new Promise((resolve) => {
            server.close(() => resolve());
            server.closeAllConnections();
          }),
      };
    },
  };
}

const modules = '/usr/lib/apache2/modules';

function nginx(name: string, more = ''): Server {
  return program({
    name,
    program: '/usr/sbin/nginx',
    versionArgs: ['-v'],
    configuration: ({ files, work }, port) => `
      daemon off; pid ${work}/pid; error_log stderr warn;
      events {}
      http {
        access_log off; sendfile on; ${more}
        client_body_temp_path ${work}/1; proxy_temp_path ${work}/2; fastcgi_temp_path ${work}/3;
        uwsgi_temp_path ${work}/4; scgi_temp_path ${work}/5;
        server { listen 127.0.0.1:${port}; root ${files}; }
      }`,
    args: (path) => ['-e', 'stderr', '-c', path],
  });
}

/** All of them. Every configuration is the shortest that starts: what it does not say is as the server comes. */
export const SERVERS: readonly Server[] = [
  nginx('nginx'),
  nginx('nginx, without ETag', 'etag off;'),
  program({
    name: 'apache',
    program: '/usr/sbin/apache2',
    versionArgs: ['-v'],
    configuration: ({ files, work }, port) => `
      ServerName localhost
      ServerRoot ${work}
      Listen 127.0.0.1:${port}
      PidFile ${work}/pid
      ErrorLog ${work}/errors
      DefaultRuntimeDir ${work}
      Mutex file:${work} default
      LoadModule mpm_event_module ${modules}/mod_mpm_event.so
      LoadModule authz_core_module ${modules}/mod_authz_core.so
      DocumentRoot ${files}
      <Directory ${files}>
        Require all granted
      </Directory>`,
    args: (path) => ['-D', 'FOREGROUND', '-f', path],
  }),
  ...['', 'disable'].map((engine) =>
    program({
      name: engine === '' ? 'lighttpd' : 'lighttpd, without its stat cache',
      program: '/usr/sbin/lighttpd',
      versionArgs: ['-v'],
      configuration: ({ files }, port) => `
      server.document-root = "${files}"
      server.port = ${port}
      server.bind = "127.0.0.1"
      ${engine === '' ? '' : `server.stat-cache-engine = "${engine}"`}
      mimetype.assign = ("" => "application/octet-stream")`,
      args: (path) => ['-D', '-f', path],
    }),
  ),
  program({
    name: 'caddy',
    program: '/usr/bin/caddy',
    versionArgs: ['version'],
    configuration: ({ files }, port) => `{
        admin off
        auto_https off
      }
      http://127.0.0.1:${port} {
        root * ${files}
        file_server
      }`,
    args: (path) => ['run', '--config', path, '--adapter', 'caddyfile'],
  }),
  handler('express', 'express', async (files) => {
    const express = await use('express');
    return express().set('env', 'test').use(express.static(files)); // or it prints each refusal
  }),
  handler('sirv, dev', 'sirv', async (files) => asListener((await use('sirv'))(files, { dev: true, etag: true }))),
  handler('fastify', '@fastify/static', async (files) => {
    const app = (await use('fastify'))();
    await app.register(await use('@fastify/static'), { root: files });
    await app.ready();
    return (request, response) => app.routing(request, response);
  }),
  handler('http-server', 'http-server', async (files) => {
    const { server } = (await use('http-server')).createServer({ root: files, cache: -1 });
    return (request, response) => void server.emit('request', request, response);
  }),
  handler('serve-handler', 'serve-handler', async (files) => {
    const serve = await use('serve-handler');
    return (request, response) => serve(request, response, { public: files, cleanUrls: false });
  }),
  handler('serve-handler, with ETag', 'serve-handler', async (files) => {
    const serve = await use('serve-handler');
    return (request, response) => serve(request, response, { public: files, cleanUrls: false, etag: true });
  }),
];

function asListener(serve: (request: unknown, response: unknown, next: () => void) => void): RequestListener {
  return (request, response) => serve(request, response, () => response.writeHead(404).end());
}
