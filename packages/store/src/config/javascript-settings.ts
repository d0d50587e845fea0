import type { SettingReader } from './setting-reader.ts';

/** For `js_repl`. */
export interface JavaScriptConfig {
  /** The Node.js that runs the code. Absolute. Absent: the one that runs this program, else the first of `PATH`. */
  readonly jsReplNodePath: string | undefined;
  /** Folders whose packages go before those of the working directory. Absolute. */
  readonly jsReplNodeModuleDirs: readonly string[];
}

/** @param owner of the layers that are not the project's: a project may not choose the program that is started */
export function readJavaScriptSettings(reader: SettingReader, owner: SettingReader): JavaScriptConfig {
  return {
    jsReplNodePath: owner.path({ key: 'js_repl_node_path' }),
    jsReplNodeModuleDirs: reader.pathList({ key: 'js_repl_node_module_dirs' }) ?? [],
  };
}
