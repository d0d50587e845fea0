const KNOWN_PLANS: ReadonlySet<string> = new Set([
  'free',
  'go',
  'plus',
  'pro',
  'prolite',
  'promax',
  'team',
  'self_serve_business_prolite',
  'self_serve_business_usage_based',
  'business',
  'ent26',
  'enterprise_cbp_automation',
  'enterprise_cbp_usage_based',
  'enterprise',
  'edu',
  'edu_plus',
  'edu_pro',
  'sci',
  'sci_plus',
]);
const ALIASES: Readonly<Record<string, string | undefined>> = { hc: 'enterprise', education: 'edu' };

/** The name of a plan as clients know it; `unknown` for one that is not in the list. Source: values of the peer 0.169. */
export function planName(raw: string | undefined): string | undefined {
  if (raw === undefined) return undefined;
  const name = raw.toLowerCase();
  const plan = Object.hasOwn(ALIASES, name) ? (ALIASES[name] ?? name) : name;
  return KNOWN_PLANS.has(plan) ? plan : 'unknown';
}
