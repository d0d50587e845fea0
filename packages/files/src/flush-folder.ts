import fs from 'node:fs/promises';

/** Makes the names in a folder durable, where the system can do that. */
export async function flushFolder(folder: string): Promise<void> {
  try {
    const handle = await fs.open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {
    // Not every system can open or flush a folder. The content of its files is safe either way.
  }
}
