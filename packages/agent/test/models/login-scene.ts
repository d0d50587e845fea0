import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentThread, Quire, ThreadOptions } from '@quire/agent';
import type { JsonObject, ThreadEvent } from '@quire/protocol';
import { catalogEntry, rehearse, respond, Simulator, type SimulatorOptions, text } from '@quire/simulator';
import { createWorkspace } from '../workspace.ts';

export interface LoginSceneOptions extends SimulatorOptions {
  /** As after `-c`. */
  readonly config?: readonly string[];
  /** Default: a ChatGPT login. */
  readonly login?: 'chatgpt' | 'api-key';
}

/** A home with a login, and the provider that it is for, which has a list of models of its own. */
export interface LoginScene extends AsyncDisposable {
  readonly home: string;
  readonly simulator: Simulator;
  readonly quire: Quire;
  start(options?: ThreadOptions): Promise<AgentThread>;
  /** The list of the thread's provider is there, or was given up. */
  listed(index?: number): Promise<void>;
  cacheFile(): Promise<JsonObject>;
  /** Changes what the cache file says. */
  editCache(changes: JsonObject): Promise<void>;
  /** What requests named as their model. */
  readonly models: readonly unknown[];
}

const PLACE = 'models_cache.json';

export async function createLoginScene(options: LoginSceneOptions = {}): Promise<LoginScene> {
  const { config = [], login = 'chatgpt', ...simulation } = options;
  const workspace = await createWorkspace();
  const simulator = await Simulator.start({
    ...(simulation.steps === undefined ? { rules: rehearse(({ index }) => respond(text(`Answer ${index}.`))) } : {}),
    ...simulation,
    oauth: { guardsModels: login === 'chatgpt' },
  });
  const { home, repository } = workspace;
  await writeFile(join(home, 'auth.json'), JSON.stringify(login === 'chatgpt' ? loginOf(simulator) : API_KEY), {
    mode: 0o600,
  });
  const quire = workspace.quire(simulator, {
    configOverrides: [
      `model_providers.test={name="OpenAI",base_url="${simulator.url}",requires_openai_auth=true}`,
      'model_provider=test',
      'features.responses_websockets=false',
      ...config,
    ],
  });
  const here = { workingDirectory: repository };
  const cache = join(home, PLACE);
  const cacheFile = async (): Promise<JsonObject> => JSON.parse(await readFile(cache, 'utf8')) as JsonObject;
  return {
    home,
    simulator,
    quire,
    start: (thread = {}) => quire.startThread({ ...here, ...thread }),
    listed: async (index = 0) => {
      await simulator.modelsRequest(index);
      // Joins what is under way.
      await quire.listModels({ ...here, strategy: 'offline' });
    },
    cacheFile,
    editCache: async (changes) => writeFile(cache, JSON.stringify({ ...(await cacheFile()), ...changes })),
    get models() {
      return simulator.requests.map(({ body }) => body['model']);
    },
    [Symbol.asyncDispose]: async () => {
      try {
        await simulator[Symbol.asyncDispose]();
      } finally {
        await workspace[Symbol.asyncDispose]();
      }
    },
  };
}

const API_KEY = { auth_mode: 'apikey', OPENAI_API_KEY: 'sk-key-of-the-test-1234' };

function loginOf(simulator: Simulator): JsonObject {
  const { idToken, accessToken, refreshToken } = simulator.oauth.logIn();
  return {
    auth_mode: 'chatgpt',
    OPENAI_API_KEY: null,
    tokens: { id_token: idToken, access_token: accessToken, refresh_token: refreshToken, account_id: 'account-1' },
    last_refresh: new Date().toISOString(),
  };
}

/** An entry that says by its instructions and window whose it is. */
export function model(slug: string, fields: JsonObject = {}): JsonObject {
  return catalogEntry(slug, { base_instructions: `I am ${slug}.`, ...fields });
}

/** A list of the user's own, and the setting that names it. */
export async function listFile(
  models: readonly JsonObject[],
): Promise<AsyncDisposable & { readonly path: string; readonly setting: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'quire-models-'));
  const path = join(folder, 'models.json');
  await writeFile(path, JSON.stringify({ models }));
  return {
    path,
    setting: `model_catalog_json=${JSON.stringify(path)}`,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** What people were told in one turn. */
export async function warningsOf(thread: AgentThread, input = 'hi'): Promise<readonly string[]> {
  const warnings: string[] = [];
  const onEvent = (event: ThreadEvent): void => {
    if (event.kind === 'warning') warnings.push(event.message);
  };
  await thread.runPushed(input, { onEvent });
  return warnings;
}
