/** The version of this runtime, as written into rollouts and sent to providers. */
export const VERSION = '0.1.0';
