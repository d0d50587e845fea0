import type { JsonObject } from '@quire/protocol';

/** Who logs in. What is absent has no claim in the tokens. */
export interface SimulatedAccount {
  readonly email?: string;
  /** As the service spells it. */
  readonly plan?: string;
  readonly userId?: string;
  /** The workspace. */
  readonly accountId?: string;
  readonly organizationId?: string;
  readonly projectId?: string;
  readonly completedOnboarding?: boolean;
  readonly isOrganizationOwner?: boolean;
  /** Where the mail address stands: at the top of the ID token, or in its profile. */
  readonly emailIn?: 'claim' | 'profile';
  /** The authorization endpoint refuses this person, as the service does without the right to use it. */
  readonly refusal?: { readonly error: string; readonly description: string };
}

const PERSON: SimulatedAccount = {
  email: 'person@example.test',
  userId: 'user-1',
  accountId: 'account-1',
  organizationId: 'organization-1',
  projectId: 'project-1',
  completedOnboarding: true,
  isOrganizationOwner: false,
};

/** One of each kind that a client treats differently. */
export const ACCOUNTS = {
  free: { ...PERSON, plan: 'free' },
  plus: { ...PERSON, plan: 'plus' },
  pro: { ...PERSON, plan: 'pro' },
  /** A workspace. */
  business: { ...PERSON, plan: 'business', accountId: 'workspace-1' },
  enterprise: { ...PERSON, plan: 'hc', accountId: 'workspace-2' },
  education: { ...PERSON, plan: 'education', accountId: 'workspace-3' },
  /** A plan that clients do not know yet. */
  unknownPlan: { ...PERSON, plan: 'galaxy' },
  /** Its mail address is only in the profile. */
  profileEmail: { ...PERSON, plan: 'plus', emailIn: 'profile' },
  /** Has still to be set up. */
  newOwner: { ...PERSON, plan: 'plus', completedOnboarding: false, isOrganizationOwner: true },
  /** No claims beside those of OpenID. */
  bare: { email: 'person@example.test' },
  /** In a workspace that may not use the client. */
  notEntitled: {
    ...PERSON,
    plan: 'business',
    refusal: { error: 'access_denied', description: 'missing_codex_entitlement' },
  },
} as const satisfies Readonly<Record<string, SimulatedAccount>>;

/** Claims of the ID token. Source: sheet of the login, section 3. */
export function idClaims(account: SimulatedAccount): JsonObject {
  const { email } = account;
  const inProfile = account.emailIn === 'profile';
  return {
    ...(email === undefined || inProfile ? {} : { email }),
    ...(email !== undefined && inProfile ? { 'https://api.openai.com/profile': { email } } : {}),
    ...authClaims(account),
  };
}

/** Claims of the service's own namespace, in ID and access tokens. */
export function authClaims(account: SimulatedAccount): JsonObject {
  const claims: JsonObject = {
    ...(account.plan === undefined ? {} : { chatgpt_plan_type: account.plan }),
    ...(account.userId === undefined ? {} : { chatgpt_user_id: account.userId }),
    ...(account.accountId === undefined ? {} : { chatgpt_account_id: account.accountId }),
    ...(account.organizationId === undefined ? {} : { organization_id: account.organizationId }),
    ...(account.projectId === undefined ? {} : { project_id: account.projectId }),
    ...(account.completedOnboarding === undefined
      ? {}
      : { completed_platform_onboarding: account.completedOnboarding }),
    ...(account.isOrganizationOwner === undefined ? {} : { is_org_owner: account.isOrganizationOwner }),
  };
  return Object.keys(claims).length === 0 ? {} : { 'https://api.openai.com/auth': claims };
}

/** What the service tells of the owner of a token made for programs. Source: what the peer 0.169 reads. */
export function ownerBody({ email, plan, userId, accountId }: SimulatedAccount): JsonObject {
  return {
    email: email ?? null,
    chatgpt_user_id: userId ?? null,
    chatgpt_account_id: accountId ?? null,
    chatgpt_plan_type: plan ?? null,
    chatgpt_account_is_fedramp: false,
  };
}
