let count = 0;

/** Whether text was said that its reader has not taken yet. */
export function isOutputWaiting(): boolean {
  return count > 0;
}

/** Said, and not taken yet. What it returns is called when it was taken, or never will be. */
export function outputWaits(): () => void {
  count += 1;
  return () => {
    count -= 1;
  };
}
