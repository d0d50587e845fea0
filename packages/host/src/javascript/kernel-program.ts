/**
 * The program of the kernel, a module for `node --input-type=module --eval`. It stands here as text because it runs in
 * a process of its own, from sources and from a bundle alike. Its arguments are two file descriptors: one to read
 * messages from, one to write them to; standard streams belong to the code that it runs. See `kernel-messages.ts`.
 *
 * Each cell is a module. What it declares at the top level is published to later cells as accessors of the global
 * object that read and write the variable of the module itself: a closure and a later cell see the same variable, and
 * a constant stays one. A name that the platform has already, such as `crypto`, is not taken away from the packages:
 * it is declared again in every later cell instead, with the value of the moment.
 */
export const KERNEL_PROGRAM = String.raw`
import { Console } from 'node:console';
import { statSync, writeSync } from 'node:fs';
import { builtinModules, isBuiltin } from 'node:module';
import { Socket } from 'node:net';
import path from 'node:path';
import { Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { SourceTextModule } from 'node:vm';

const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;
const MAX_ERROR_LENGTH = 16 * 1024;
const MAX_PIECE_LENGTH = 64 * 1024;
/** The function that a cell gets appended; it gives back getter and setter of each of its variables. */
const ACCESS = '__quire_access__';

const { parse, stringify } = JSON;
const exit = process.exit.bind(process);
const [readDescriptor, writeDescriptor] = process.argv.splice(1, 2).map(Number);

// --- messages ---

const clock = new Int32Array(new SharedArrayBuffer(4));

/** Waits until it is written: what a cell printed is out even if the process ends in the next moment. */
function send(message) {
  const bytes = Buffer.from(stringify(message) + '\n');
  if (bytes.length > MAX_MESSAGE_BYTES) throw new RangeError('this is too large: the limit is 32 MiB');
  for (let sent = 0; sent < bytes.length; ) {
    try {
      sent += writeSync(writeDescriptor, bytes, sent);
    } catch (error) {
      if (error.code !== 'EAGAIN') exit(1); // nobody is there to read it
      Atomics.wait(clock, 0, 0, 2);
    }
  }
}

function print(text) {
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + MAX_PIECE_LENGTH, text.length);
    const last = text.charCodeAt(end - 1);
    if (end < text.length && last >= 0xd800 && last <= 0xdbff) end -= 1; // halves of a character stay together
    send({ type: 'output', text: text.slice(start, end) });
    start = end;
  }
}

function printer() {
  const decoder = new StringDecoder('utf8');
  return new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      print(typeof chunk === 'string' ? chunk : decoder.write(chunk));
      done();
    },
  });
}

// --- errors ---

/** As the console shows it, without the frames of this program and of the platform. */
function show(error) {
  const lines = [];
  for (const line of describe(error).split('\n')) {
    if (!/^\s+at .*(\[eval1\]|node:internal\/|__quire_)/.test(line)) lines.push(line);
    else if (line.endsWith(' {') && lines.length > 0) lines[lines.length - 1] += ' {';
  }
  const text = lines.join('\n');
  return text.length > MAX_ERROR_LENGTH ? text.slice(0, MAX_ERROR_LENGTH) + '…' : text;
}

function describe(error) {
  try {
    if (error instanceof Error) return inspect(error, { depth: 4, maxStringLength: 4096 });
    return 'thrown: ' + inspect(error, { depth: 4, maxStringLength: 4096 });
  } catch {
    return 'an error that can not be shown was thrown';
  }
}

function die(reason, error) {
  send({ type: 'fatal', reason, error: show(error) });
  exit(1);
}
process.on('uncaughtException', (error) => die('exception', error));
process.on('unhandledRejection', (error) => die('rejection', error));

// --- imports: a convenience, not a border; the border is the sandbox around this process ---

const REFUSED_BUILTINS = new Set(['process', 'child_process', 'worker_threads']);
const packageRoots = (process.env.CODEX_JS_REPL_NODE_MODULE_DIRS ?? '').split(path.delimiter).filter(Boolean);
/** By path: the version that was loaded last. */
const loadedVersions = new Map();

function locate(specifier) {
  if (isBuiltin(specifier)) return builtinAddress(specifier);
  if (specifier.startsWith('file:')) return fileAddress(fileURLToPath(specifier));
  if (/^\.{0,2}\//.test(specifier)) return fileAddress(path.resolve(specifier));
  if (/^[a-z][a-z0-9+.-]*:/i.test(specifier)) {
    throw new Error('can not import ' + specifier + ': only packages, platform modules and local files can be imported');
  }
  return packageAddress(specifier);
}

function builtinAddress(specifier) {
  const name = specifier.replace(/^node:/, '');
  if (!REFUSED_BUILTINS.has(name.split('/')[0])) return 'node:' + name;
  throw new Error('the module ' + name + ' can not be imported here; to run programs, call a tool with codex.tool');
}

/** A file that changed since it was loaded gets a new address; the files that it imports in turn do not. */
function fileAddress(file) {
  if (!/\.m?js$/.test(file)) {
    throw new Error('can not import ' + file + ': only .js and .mjs files; read others with node:fs');
  }
  const status = statSync(file, { throwIfNoEntry: false });
  if (status === undefined) throw new Error('can not import ' + file + ': there is no such file');
  const version = status.mtimeMs + '-' + status.size;
  const first = loadedVersions.get(file) ?? version;
  loadedVersions.set(file, first);
  const address = pathToFileURL(file);
  if (version !== first) address.search = 'version=' + version;
  return address.href;
}

function packageAddress(specifier) {
  for (const root of [...packageRoots, process.cwd()]) {
    const base = path.basename(root) === 'node_modules' ? path.dirname(root) : root;
    try {
      return import.meta.resolve(specifier, pathToFileURL(path.join(base, 'cell.js')).href);
    } catch (error) {
      if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    }
  }
  throw new Error('there is no package ' + specifier + ' in ' + [...packageRoots, process.cwd()].join(', '));
}

async function importModule(specifier, _module, attributes) {
  const address = locate(String(specifier));
  const hasAttributes = Object.keys(attributes ?? {}).length > 0;
  return hasAttributes ? import(address, { with: attributes }) : import(address);
}

// --- what cells find: codex.* ---

/** The cell that runs, with the images that it emits. */
let cell;
let callCount = 0;
/** Requests to the host that have no answer yet, by id. */
const waiting = new Map();

function ask(message) {
  if (cell === undefined) throw new Error('codex.tool and codex.emitImage can only be called while a cell runs');
  callCount += 1;
  const id = String(callCount);
  send({ ...message, id, exec_id: cell.id });
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

async function callTool(name, input = {}) {
  if (typeof name !== 'string' || (typeof input !== 'string' && (typeof input !== 'object' || input === null))) {
    throw new TypeError('codex.tool takes the name of a tool, and its arguments as an object or a string');
  }
  if (name === 'js_repl' || name === 'js_repl_reset') throw new Error(name + ' can not be called from within a cell');
  return ask({ type: 'run_tool', tool_name: name, arguments: input });
}

const IMAGE_FORMS =
  'codex.emitImage takes a data URL, bytes, { bytes, mimeType, detail }, or the output of a tool that has images';

function imagesOf(value) {
  if (typeof value === 'string') return [{ image_url: value }];
  if (value instanceof Uint8Array || value instanceof ArrayBuffer) return [{ image_url: dataUrl(value) }];
  if (typeof value !== 'object' || value === null) throw new TypeError(IMAGE_FORMS);
  if (value.bytes !== undefined) return [{ image_url: dataUrl(value.bytes, value.mimeType), detail: value.detail }];
  if (typeof value.image_url === 'string') return [{ image_url: value.image_url, detail: value.detail }];
  const parts = Array.isArray(value) ? value : value.output;
  const images = Array.isArray(parts) ? parts.filter((part) => typeof part?.image_url === 'string') : [];
  if (images.length === 0) throw new TypeError(IMAGE_FORMS);
  return images.map(({ image_url, detail }) => ({ image_url, detail }));
}

function dataUrl(bytes, mimeType = 'image/*') {
  if (!(bytes instanceof Uint8Array || bytes instanceof ArrayBuffer)) throw new TypeError(IMAGE_FORMS);
  const buffer = bytes instanceof ArrayBuffer ? Buffer.from(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return 'data:' + mimeType + ';base64,' + buffer.toString('base64');
}

async function emitAll(value) {
  for (const image of imagesOf(await value)) {
    if (image.detail !== undefined && typeof image.detail !== 'string') throw new TypeError(IMAGE_FORMS);
    await ask({ type: 'emit_image', ...image });
  }
}

/** The cell waits for it, and fails with it if nobody else looks at the promise. */
function emitImage(value) {
  const emission = { promise: emitAll(value), isObserved: false };
  emission.promise.catch(() => undefined);
  cell?.emissions.push(emission);
  const observe = (name) => (...reactions) => {
    emission.isObserved = true;
    return emission.promise[name](...reactions);
  };
  return { then: observe('then'), catch: observe('catch'), finally: observe('finally') };
}

const output = printer();
const codex = Object.freeze({ tmpDir: process.env.CODEX_JS_TMP_DIR, tool: callTool, emitImage });
const limitedProcess = Object.freeze({
  arch: process.arch,
  platform: process.platform,
  version: process.version,
  versions: process.versions,
  pid: process.pid,
  env: process.env,
  argv: Object.freeze([process.execPath]),
  cwd: () => process.cwd(),
  hrtime: process.hrtime,
  uptime: () => process.uptime(),
  memoryUsage: () => process.memoryUsage(),
  nextTick: process.nextTick.bind(process),
  stdout: output,
  stderr: output,
  exit: () => {
    throw new Error('process.exit is not available: a cell ends with its last line');
  },
});

for (const name of ['stdout', 'stderr']) Object.defineProperty(process, name, { value: output, configurable: true });
// What --eval adds: shorthands for the modules of the platform.
for (const name of builtinModules) {
  if (name !== 'process' && name !== 'console' && name !== 'crypto') delete globalThis[name];
}
const capture = new Console({ stdout: output, stderr: output, colorMode: false });
Object.defineProperty(globalThis, 'console', { value: capture, configurable: true, writable: true });
Object.defineProperty(globalThis, 'codex', { value: codex, configurable: true, writable: true });

// --- cells ---

const platformNames = new Set(Object.getOwnPropertyNames(globalThis));
/** Variables of cells by name: how to read and to write them. */
const published = new Map([['process', { get: () => limitedProcess, set: () => undefined }]]);
const shadowing = new Set(['process']);

function sourceOf(code, names) {
  const inherited = [...shadowing].filter((name) => !names.includes(name));
  const declaration = inherited.length === 0 ? '' : 'var ' + inherited.join(', ') + ';';
  const entries = [...names, ...inherited].map(
    (name) =>
      '["' + name + '"]: { get: function __quire_get__() { return ' + name + '; }, ' +
      'set: function __quire_set__(__value__) { ' + name + ' = __value__; } }',
  );
  const access = 'export function ' + ACCESS + '() { return { __proto__: null, ' + entries.join(', ') + ' }; }';
  return { inherited, source: code + '\n;' + declaration + access };
}

/** A variable that was never initialised does not take the place of an older one. */
function publish(name, accessor) {
  try {
    accessor.get();
  } catch {
    return;
  }
  published.set(name, accessor);
  if (platformNames.has(name)) shadowing.add(name);
  else Object.defineProperty(globalThis, name, { ...accessor, configurable: true, enumerable: true });
}

async function evaluate({ id, code, bindings }) {
  const names = bindings.map(({ name }) => name);
  const { inherited, source } = sourceOf(code, names);
  const module = new SourceTextModule(source, {
    identifier: id + '.js',
    importModuleDynamically: importModule,
    initializeImportMeta: (meta) => {
      meta.url = pathToFileURL(path.resolve(id + '.js')).href;
    },
  });
  await module.link(() => {
    throw new Error('use await import() instead of a static import');
  });
  const access = module.namespace[ACCESS]();
  const carried = bindings.filter(({ name, kind }) => kind === 'var' && published.has(name)).map(({ name }) => name);
  for (const name of [...inherited, ...carried]) access[name].set(published.get(name).get());
  try {
    await module.evaluate();
  } finally {
    for (const name of [...names, ...inherited]) publish(name, access[name]);
  }
}

async function runCell(message) {
  const running = { id: message.id, emissions: [] };
  cell = running;
  let failure;
  send({ type: 'exec_begun', id: message.id });
  try {
    if (message.cwd !== process.cwd()) process.chdir(message.cwd);
    await evaluate(message);
  } catch (error) {
    failure = { error };
  }
  for (const emission of running.emissions) {
    try {
      await emission.promise;
    } catch (error) {
      if (!emission.isObserved) failure ??= { error };
    }
  }
  cell = undefined;
  const result = { type: 'exec_result', id: message.id, ok: failure === undefined };
  send(failure === undefined ? result : { ...result, error: show(failure.error) });
}

function answer({ id, ok, response, error }) {
  const pending = waiting.get(id);
  waiting.delete(id);
  if (ok) pending?.resolve(response);
  else pending?.reject(new Error(error));
}

// --- the host ---

const host = new Socket({ fd: readDescriptor, readable: true, writable: false });
const decoder = new StringDecoder('utf8');
let pieces = [];
host.on('data', (bytes) => {
  const lines = decoder.write(bytes).split('\n');
  for (const [index, line] of lines.entries()) {
    pieces.push(line);
    if (index === lines.length - 1) break; // the rest of it is still to come
    const message = parse(pieces.join(''));
    pieces = [];
    if (message.type === 'exec') void runCell(message);
    else answer(message);
  }
});
host.on('error', () => exit(1));
host.on('close', () => exit(0)); // nobody is left to run cells for
`;
